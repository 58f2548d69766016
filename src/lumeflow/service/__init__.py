"""Executions that are queued in the database and run in this process: submit, watch, cancel, resume.

async with open_service(settings) as service:
    execution_id = await service.submit("acme", workflow_id="lead-enrichment-v1", input={"sourceAudienceId": "a-1"})
    async for update in service.watch("acme", execution_id): ...
"""

from lumeflow.service.service import ExecutionService, open_service
from lumeflow.service.settings import ServiceSettings
from lumeflow.service.updates import EndUpdate, EventUpdate, ExecutionState, ProgressUpdate, Update
from lumeflow.storage.repositories.queue import JobKind

__all__ = [
    "EndUpdate",
    "EventUpdate",
    "ExecutionService",
    "ExecutionState",
    "JobKind",
    "ProgressUpdate",
    "ServiceSettings",
    "Update",
    "open_service",
]
