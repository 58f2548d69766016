"""The secrets of one tenant at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lumeflow.core.errors import ErrorClass, NodeError
from lumeflow.core.secret import Secret
from lumeflow.settings import Settings
from lumeflow.storage.jobs import DEFAULT_TENANT
from lumeflow.storage.repositories.secrets import StoredSecret
from lumeflow.vault.files import ByTenant
from lumeflow.vault.keyring import CannotOpen, Keyring


class Source(StrEnum):
    """Where a secret comes from."""

    ENVIRONMENT = "environment"
    FILE = "file"
    DATABASE = "database"


@dataclass(frozen=True, slots=True)
class TenantSecrets:
    """What workflows may name, and the vendors' keys. An execution has the same from its beginning to its end.

    The environment goes before files, and files before the database. The environment's belong to the tenant `default`,
    the installation's own; of all these another tenant gets the vendors' keys that it has none of itself, unless the
    operator shares none, and never what workflows name.

    Attributes:
        tenant: Whose they are.
        settings: The environment.
        files: Secrets in files, of all tenants.
        stored: Secrets in the database, of this one.
        keyring: Decrypts them.
    """

    tenant: str
    settings: Settings
    files: ByTenant = field(default_factory=dict)
    stored: Mapping[str, StoredSecret] = field(default_factory=dict)
    keyring: Keyring = field(default_factory=lambda: Keyring(()))

    def find(self, name: str) -> Secret | None:
        """A secret that workflows name; None if it is not configured.

        Raises:
            NodeError: (AUTH) it is in the database, and cannot be decrypted.
        """
        if self._is_own and (found := self.settings.secret(name)):
            return found
        return self._kept(name)

    def key(self, name: str) -> Secret | None:
        """A vendor's key, by the name of its environment variable.

        Raises:
            NodeError: (AUTH) it is in the database, and cannot be decrypted.
        """
        if self._is_own and (found := self.settings.provider_key(name)):
            return found
        kept = self._kept(name)
        if kept is not None or self._is_own or not self.settings.share_keys:
            return kept
        return self.settings.provider_key(name) or self.files.get(DEFAULT_TENANT, {}).get(name)

    def sources(self) -> Mapping[str, Source]:
        """Where each secret that workflows may name comes from, by name."""
        environment = self.settings.secret_names() if self._is_own else ()
        return {
            **dict.fromkeys(self.stored, Source.DATABASE),
            **dict.fromkeys(self._files, Source.FILE),
            **dict.fromkeys(environment, Source.ENVIRONMENT),
        }

    def unreadable(self) -> Mapping[str, str]:
        """Secrets in the database whose key is not there: why, by name."""
        return {
            name: str(self._reason(name))
            for name, source in self.sources().items()
            if source is Source.DATABASE and not self.keyring.knows(self.stored[name].key_id)
        }

    @property
    def _is_own(self) -> bool:
        return self.tenant == DEFAULT_TENANT

    @property
    def _files(self) -> Mapping[str, Secret]:
        return self.files.get(self.tenant, {})

    def _kept(self, name: str) -> Secret | None:
        if name in self._files or name not in self.stored:
            return self._files.get(name)
        try:
            return self._opened(name)
        except CannotOpen as error:
            raise NodeError(ErrorClass.AUTH, f"the secret '{name}' {error}") from None

    def _opened(self, name: str) -> Secret:
        row = self.stored[name]
        return self.keyring.open(row.value, key_id=row.key_id, tenant=self.tenant, name=name)

    def _reason(self, name: str) -> str:
        try:
            self._opened(name)
        except CannotOpen as error:
            return f"the secret '{name}' {error}"
        return ""
