"""Blocks that change records."""
