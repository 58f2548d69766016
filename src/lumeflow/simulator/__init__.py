"""A simulator of the vendors: their contracts, deterministic data, latencies, limits, faults, and an exact bill.

Two doors lead to the same code: `Simulator.handle` in process, and `lumeflow.simulator.server` over HTTP (not imported
here, because it needs aiohttp).
"""

from lumeflow.simulator.clock import RealClock, SimulatorClock
from lumeflow.simulator.exchange import AnswerCut
from lumeflow.simulator.faults import DEFAULT_FAULT_KINDS, FaultKind
from lumeflow.simulator.settings import SIMULATOR_KEY, SimulatorSettings
from lumeflow.simulator.simulator import Simulator

__all__ = [
    "DEFAULT_FAULT_KINDS",
    "SIMULATOR_KEY",
    "AnswerCut",
    "FaultKind",
    "RealClock",
    "Simulator",
    "SimulatorClock",
    "SimulatorSettings",
]
