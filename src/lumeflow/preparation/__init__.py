"""From what somebody asks for to an execution that may run: the document is found and checked, the input admitted.

Nothing is written down here, and nothing is called.
"""

from lumeflow.preparation.admission import NamedByInput
from lumeflow.preparation.documents import Documents
from lumeflow.preparation.preparation import Preparation
from lumeflow.preparation.request import ExecutionRequest, with_limits

__all__ = ["Documents", "ExecutionRequest", "NamedByInput", "Preparation", "with_limits"]
