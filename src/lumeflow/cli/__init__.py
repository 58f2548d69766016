"""The command line: parse, call the app, present. Nothing is decided here that the Python API does not decide.

Modules import what is heavy (the app, rich, pydantic) inside functions, so that help and usage errors answer at once.
"""
