"""Where lumeflow finds its database, its files and its vendors."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lumeflow.core.errors import UsageError
from lumeflow.core.secret import Secret
from lumeflow.storage import default_data_dir

SECRET_PREFIX = "LUMEFLOW_SECRET_"
RESERVED_SECRETS = frozenset({"KEY"})
"""No workflow may name these: `LUMEFLOW_SECRET_KEY` is what the secrets in the database are encrypted with."""

LONGEST_RETENTION = 36_500
"""Days."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Configuration of one process.

    Attributes:
        data_dir: Folder of the default database and of output files.
        db: Database URL or path; None for `lumeflow.db` in `data_dir`.
        simulator_url: Address that stands for every vendor; None for the real ones.
        demo_latency: How slow the vendors of demo mode are: 1 as in life, 0 not at all.
        demo_comments: Comments under each post in demo mode.
        environ: Environment variables: vendor keys, and secrets as `LUMEFLOW_SECRET_<name>`.
        providers: Settings by provider name: `baseUrl`, `key`, `limits`, `concurrency`, `prices`.
        plugin_folders: Folders with blocks of the user's own.
        queries: Folder of queries that workflows may call by name; None for none.
        allowed_addresses: Hosts and networks that addresses in workflows may lead to although they are not public:
            names, `*.names`, addresses, networks such as `10.1.0.0/16`.
        prompt_folders: Folders with prompts of the user's own; the first that has a prompt wins, the built-in ones come
            last.
        secret_paths: Folders with one file a secret, and files of NAME=VALUE lines; see `lumeflow.vault.files`.
        share_keys: True if tenants without a vendor's key of their own use the installation's.
        previews: False to keep nothing of the records with the nodes of an execution.
        retention_days: For how many days executions are kept after their end; None for ever.
    """

    data_dir: Path
    db: str | None = field(default=None, repr=False)
    simulator_url: str | None = None
    demo_latency: float = 0.0
    demo_comments: int = 60
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    plugin_folders: Sequence[Path] = ()
    queries: Path | None = None
    allowed_addresses: Sequence[str] = ()
    prompt_folders: Sequence[Path] = ()
    confined: bool = False
    secret_paths: Sequence[Path] = ()
    share_keys: bool = True
    previews: bool = True
    retention_days: int | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, **overrides: Any) -> "Settings":
        """Read `LUMEFLOW_DB`, `LUMEFLOW_DATA_DIR`, `LUMEFLOW_PLUGINS`, `LUMEFLOW_PROMPTS`, `LUMEFLOW_QUERIES`,
        `LUMEFLOW_PROVIDERS` (a JSON file), `LUMEFLOW_ALLOWED_ADDRESSES` (with commas between them), `LUMEFLOW_SECRETS`
        (folders and files), `LUMEFLOW_SHARE_KEYS` and `LUMEFLOW_PREVIEWS` (`yes` or `no`), and
        `LUMEFLOW_RETENTION_DAYS`.

        Args:
            environ: Environment variables.
            overrides: Attributes that are given otherwise; None leaves what the environment says.

        Raises:
            UsageError: A variable holds something unusable.
        """
        values: dict[str, Any] = {
            "data_dir": _data_dir(environ),
            "db": environ.get("LUMEFLOW_DB") or None,
            "environ": environ,
            "plugin_folders": _folders(environ.get("LUMEFLOW_PLUGINS")),
            "queries": Path(environ["LUMEFLOW_QUERIES"]) if environ.get("LUMEFLOW_QUERIES") else None,
            "prompt_folders": _prompt_folders(environ.get("LUMEFLOW_PROMPTS")),
            "allowed_addresses": environ.get("LUMEFLOW_ALLOWED_ADDRESSES", "").replace(",", " ").split(),
            "secret_paths": _folders(environ.get("LUMEFLOW_SECRETS")),
            "share_keys": _yes(environ, "LUMEFLOW_SHARE_KEYS"),
            "previews": _yes(environ, "LUMEFLOW_PREVIEWS"),
            "retention_days": _days(environ, "LUMEFLOW_RETENTION_DAYS"),
            "providers": _read_providers(environ.get("LUMEFLOW_PROVIDERS")),
        }
        values |= {name: value for name, value in overrides.items() if value is not None}
        return cls(**values)

    def secret(self, name: str) -> Secret | None:
        """A secret of the environment that workflows may name; None if it is not configured."""
        value = None if name in RESERVED_SECRETS else self.environ.get(SECRET_PREFIX + name)
        return Secret(value) if value else None

    def secret_names(self) -> frozenset[str]:
        """Names of all secrets of the environment."""
        start = len(SECRET_PREFIX)
        names = (name[start:] for name, value in self.environ.items() if value and name.startswith(SECRET_PREFIX))
        return frozenset(names) - RESERVED_SECRETS

    def provider_key(self, name: str) -> Secret | None:
        """A vendor's key, by the name of its environment variable."""
        value = self.environ.get(name, "").strip()
        return Secret(value) if value else None


def _yes(environ: Mapping[str, str], name: str) -> bool:
    """A switch that is on unless it is turned off."""
    value = environ.get(name, "").strip().lower() or "yes"
    if value not in ("yes", "no", "true", "false", "1", "0"):
        raise UsageError(f"{name}: expected yes or no")
    return value in ("yes", "true", "1")


def _days(environ: Mapping[str, str], name: str) -> int | None:
    value = environ.get(name, "").strip()
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:9]) <= LONGEST_RETENTION:
        raise UsageError(f"{name}: expected days, a whole number from 1 to {LONGEST_RETENTION}")
    return int(value)


def _folders(value: str | None) -> list[Path]:
    return [Path(entry) for entry in (value or "").split(os.pathsep) if entry]


def _prompt_folders(value: str | None) -> list[Path]:
    folders = _folders(value)
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"LUMEFLOW_PROMPTS: there is no folder {folder}")
    return folders


def _data_dir(environ: Mapping[str, str]) -> Path:
    """Made absolute now, so that a later change of the working folder changes nothing."""
    named = environ.get("LUMEFLOW_DATA_DIR")
    return Path(named).absolute() if named else default_data_dir()


def _read_providers(path: str | None) -> Mapping[str, Mapping[str, Any]]:
    if not path:
        return {}
    import json

    try:
        providers = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"LUMEFLOW_PROVIDERS: cannot read {path}: {error}") from error
    if not isinstance(providers, dict):
        raise UsageError(f"LUMEFLOW_PROVIDERS: {path} must hold an object by provider name")
    return providers
