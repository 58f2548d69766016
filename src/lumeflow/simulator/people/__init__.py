"""Invented people and what they write. Nobody here exists; all addresses are at example domains."""
