"""The secrets of one tenant: read from everywhere, and kept in the database."""

import asyncio
from datetime import datetime

from lumeflow.core.errors import UsageError
from lumeflow.core.secret import Secret
from lumeflow.settings import RESERVED_SECRETS, Settings
from lumeflow.storage import Database
from lumeflow.storage.repositories.secrets import StoredSecret
from lumeflow.vault.files import LARGEST, is_name, read_secrets
from lumeflow.vault.keyring import CannotOpen, Keyring
from lumeflow.vault.tenant_secrets import TenantSecrets

_PAGE = 500


class Vault:
    """Secrets of the tenant whose database this is.

    Args:
        settings: The environment and where files are.
        database: Of the tenant.

    Attributes:
        latest: What was read last; the environment alone, as long as nothing was.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._rows = database.secrets
        self._tenant = database.tenant
        self.latest = TenantSecrets(database.tenant, settings)

    async def load(self, *, locked: bool = False) -> TenantSecrets:
        """Read all secrets as they are now. Those in the database stay encrypted until they are used; without any key
        they are not read, so that executions without secrets need no query.

        Args:
            locked: Read them also without a key.

        Raises:
            UsageError: A file or a key is not right.
            StorageError: The database cannot be read.
        """
        paths = self._settings.secret_paths
        files = await asyncio.to_thread(read_secrets, paths) if paths else {}
        keyring = Keyring.of(self._settings.environ)
        stored = {row.name: row for row in await self.rows()} if keyring or locked else {}
        self.latest = TenantSecrets(self._tenant, self._settings, files, stored, keyring)
        return self.latest

    async def rows(self) -> list[StoredSecret]:
        """The secrets in the database, encrypted, by name."""
        rows: list[StoredSecret] = []
        while True:
            page = await self._rows.list(limit=_PAGE, after=rows[-1].name if rows else "")
            rows.extend(page)
            if len(page) < _PAGE:
                return rows

    async def put(self, name: str, value: Secret, *, at: datetime) -> str:
        """Store a secret, or another value of it; returns the id of its key.

        Raises:
            UsageError: The name or the value cannot be used, or there is no key to encrypt with.
        """
        if not is_name(name) or name in RESERVED_SECRETS:
            raise UsageError(
                f"{name[:70]!r} cannot be the name of a secret: expected up to 128 letters, digits, _, - and ., such as"
                f" 'crmToken', and not {' or '.join(sorted(RESERVED_SECRETS))}"
            )
        if not 0 < len(value.reveal().encode()) <= LARGEST:
            raise UsageError(f"the value of '{name}' must have 1 to {LARGEST} bytes")
        keyring = Keyring.of(self._settings.environ)
        sealed = keyring.seal(value, tenant=self._tenant, name=name)
        await self._rows.put(name, sealed, key_id=keyring.key_id, at=at)
        return keyring.key_id

    async def delete(self, name: str) -> None:
        """Forget a secret that is in the database.

        Raises:
            UsageError: It is not there.
        """
        if not await self._rows.delete(name):
            raise UsageError(f"the database has no secret '{name[:70]}' of the tenant '{self._tenant}'")

    async def rotate(self) -> int:
        """Encrypt with the first key what is under another; returns how many were. A second run goes on where a first
        one ended.

        Raises:
            UsageError: There is no key, or not the one that a secret is under; then none is changed.
        """
        keyring = Keyring.of(self._settings.environ)
        old = [row for row in await self.rows() if row.key_id != keyring.key_id]
        opened = [(row, self._opened(keyring, row)) for row in old]
        changed = 0
        for row, secret in opened:
            sealed = keyring.seal(secret, tenant=self._tenant, name=row.name)
            changed += await self._rows.reseal(row, sealed, key_id=keyring.key_id)
        return changed

    def _opened(self, keyring: Keyring, row: StoredSecret) -> Secret:
        try:
            return keyring.open(row.value, key_id=row.key_id, tenant=self._tenant, name=row.name)
        except CannotOpen as error:
            raise UsageError(f"the secret '{row.name}' of the tenant '{self._tenant}' {error}") from None


async def rotate_all(settings: Settings, database: Database) -> int:
    """Rotate the secrets of every tenant; see `Vault.rotate`."""
    changed, after = await Vault(settings, database).rotate(), ""
    while page := await database.installation.tenants.list(after=after):
        after = page[-1].tenant
        for entry in page:
            if entry.tenant != database.tenant:
                changed += await Vault(settings, database.of(entry.tenant)).rotate()
    return changed
