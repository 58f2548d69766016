"""What every block has to keep to, as tests that its author runs with one line."""

from lumeflow.testing.contract.suite import BlockContract, block_contract

__all__ = ["BlockContract", "block_contract"]
