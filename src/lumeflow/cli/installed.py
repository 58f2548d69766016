"""Which lumeflow this is. Imports nothing of it, so that the version can be told at once."""


def version() -> str:
    """The installed version; `unknown` when run from sources that were never installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("lumeflow")
    except PackageNotFoundError:
        return "unknown"
