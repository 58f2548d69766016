"""Asking language models: requests in both forms, prompts, structured answers item by item, prices."""
