"""Where the database and the output files are."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from lumeflow.core.errors import StorageError, UsageError

DATABASE = "lumeflow.db"

_SCHEME = "sqlite:///"
_FORMS = "expected sqlite:///PATH, sqlite:///:memory:, a path, or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"


def default_data_dir(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The user's data folder for lumeflow, by the platform's convention."""
    home = Path.home()
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / "lumeflow"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "lumeflow"
    given = environment.get("XDG_DATA_HOME", "")
    base = Path(given) if Path(given).is_absolute() else home / ".local" / "share"
    return base / "lumeflow"


def is_postgres(url: str | None) -> bool:
    """True if the URL names a PostgreSQL database."""
    return url is not None and url.startswith(("postgresql:", "postgres:", "postgresql+"))


def locate(url: str | None, data_dir: Path) -> Path | None:
    """The database file that a URL means, None for one in memory; makes the data folder where it is needed.

    Raises:
        UsageError: The URL is not understood.
        StorageError: The data folder cannot be made.
    """
    if url is None:
        return _in_data_dir(data_dir)
    path = url.removeprefix(_SCHEME)
    if path == ":memory:":
        return None
    if not path or "\0" in path or "://" in path or path.startswith("sqlite:"):
        raise UsageError(f"database URL '{without_password(url)}' is not understood: {_FORMS}")
    # Made absolute now, so that a later change of the working folder cannot split the file from its locks.
    return Path(path).expanduser().absolute()


def _in_data_dir(data_dir: Path) -> Path:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"data folder {data_dir}: it cannot be made ({error.strerror}): make it, or name a database by URL"
        ) from error
    return data_dir.absolute() / DATABASE


def without_password(url: str) -> str:
    """The URL, fit to be shown."""
    scheme, separator, rest = url.partition("://")
    _, at, place = rest.rpartition("@")
    return f"{scheme}{separator}***@{place}" if at else url
