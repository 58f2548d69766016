"""Blocks that start a workflow: database, files, the caller, the document itself."""
