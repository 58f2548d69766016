"""Blocks that join several payloads into one."""
