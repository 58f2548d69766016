"""Where everything durable is: executions, effects, kept records, tables and files, on SQLite."""

from lumeflow.storage.database import Database, Taken, open_database
from lumeflow.storage.load import BadRows, load_rows
from lumeflow.storage.locations import default_data_dir
from lumeflow.storage.row_files import RowProblem
from lumeflow.storage.snapshot import Outcome, Standing
from lumeflow.storage.workflows import SavedWorkflow

__all__ = [
    "BadRows",
    "Database",
    "Outcome",
    "RowProblem",
    "SavedWorkflow",
    "Standing",
    "Taken",
    "default_data_dir",
    "load_rows",
    "open_database",
]
