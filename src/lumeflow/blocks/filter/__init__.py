"""Blocks that keep some records and leave others out."""
