"""Secrets: where they come from, for each tenant, and how those in the database are encrypted."""
