"""The keys that secrets in the database are encrypted with, and the encryption itself.

AES-256-GCM with a random nonce. Tenant, name and key id are authenticated with each value, so that a value moved to
another row opens nothing.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lumeflow.core.errors import UsageError
from lumeflow.core.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_VARIABLE = "LUMEFLOW_SECRET_KEY"
_KEY_BYTES, _NONCE_BYTES = 32, 12
_FORMAT = b"\x01"
_REMEDY = "`lumeflow db secret key` makes one"


class CannotOpen(Exception):
    """A value cannot be decrypted; the text says why, and what would mend it."""


class Keyring:
    """Keys by id; the first one encrypts, all of them decrypt.

    Args:
        keys: Keys of 32 bytes.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {_key_id(key): key for key in keys}
        self._first = next(iter(self._keys), None)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Keyring":
        """The keys in `LUMEFLOW_SECRET_KEY`: base64, the newest first, with commas or spaces between them.

        Raises:
            UsageError: One of them is no key; its text is not told.
        """
        texts = environ.get(KEY_VARIABLE, "").replace(",", " ").split()
        return cls([_parsed(text, number) for number, text in enumerate(texts, start=1)])

    def __bool__(self) -> bool:
        return bool(self._keys)

    @property
    def key_id(self) -> str:
        """Id of the key that encrypts.

        Raises:
            UsageError: There is no key.
        """
        if self._first is None:
            raise UsageError(f"secrets are stored encrypted: set {KEY_VARIABLE} to a key; {_REMEDY}")
        return self._first

    def knows(self, key_id: str) -> bool:
        """True if values under this key can be decrypted."""
        return key_id in self._keys

    def seal(self, secret: Secret, *, tenant: str, name: str) -> bytes:
        """Encrypt a value for its row.

        Raises:
            UsageError: There is no key.
        """
        key_id = self.key_id
        nonce = os.urandom(_NONCE_BYTES)
        sealed = _cipher(self._keys[key_id]).encrypt(nonce, secret.reveal().encode(), _bound(tenant, name, key_id))
        return _FORMAT + nonce + sealed

    def open(self, value: bytes, *, key_id: str, tenant: str, name: str) -> Secret:
        """Decrypt the value of a row.

        Raises:
            CannotOpen: The key is not there, or the value was changed or belongs to another row.
        """
        if key_id not in self._keys:
            raise CannotOpen(f"is stored under the key {key_id}, which {KEY_VARIABLE} does not hold: add that key")
        from cryptography.exceptions import InvalidTag

        nonce, sealed = value[1 : 1 + _NONCE_BYTES], value[1 + _NONCE_BYTES :]
        try:
            if value[:1] != _FORMAT:
                raise InvalidTag
            return Secret(_cipher(self._keys[key_id]).decrypt(nonce, sealed, _bound(tenant, name, key_id)).decode())
        except (InvalidTag, ValueError):
            raise CannotOpen("was changed in the database, or moved to another row: set it again") from None


def new_key() -> str:
    """A random key as `LUMEFLOW_SECRET_KEY` holds it."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode()


def _parsed(text: str, number: int) -> bytes:
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise UsageError(f"{KEY_VARIABLE}: key {number} is not {_KEY_BYTES} bytes in base64; {_REMEDY}")
    return key


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"lumeflow key id\0" + key).hexdigest()[:12]


def _bound(tenant: str, name: str, key_id: str) -> bytes:
    return "\0".join(("lumeflow secret", tenant, name, key_id)).encode()


def _cipher(key: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
