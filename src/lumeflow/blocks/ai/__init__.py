"""Blocks that ask a language model, one implementation a file."""
