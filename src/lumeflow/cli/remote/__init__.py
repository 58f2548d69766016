"""The command line against a server: the API's client, and what the commands ask of it. See ADR 15."""
