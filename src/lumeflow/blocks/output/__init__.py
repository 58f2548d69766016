"""Blocks that end a workflow: database, files."""
