"""Blocks that call a vendor, one implementation a file."""
