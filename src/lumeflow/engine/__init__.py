"""Runs validated workflows: every node at once, joined by bounded channels of batches."""
