"""Blocks that send records different ways."""
