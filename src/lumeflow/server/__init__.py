"""The HTTP API: thin. It reads what was sent, asks the app and the execution service, and writes what came."""
