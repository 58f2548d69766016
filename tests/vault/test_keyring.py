"""Encryption of secrets: what opens a value, and what does not."""

import base64
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.core.errors import UsageError
from lumeflow.core.secret import Secret
from lumeflow.vault.keyring import CannotOpen, Keyring

OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def ring(*keys: str) -> Keyring:
    return Keyring.of({"LUMEFLOW_SECRET_KEY": ", ".join(keys)})


def sealed(text="sk-canary", keys=(OLD,), tenant="acme", name="crmToken") -> bytes:
    return ring(*keys).seal(Secret(text), tenant=tenant, name=name)


@given(st.text())
def test_what_was_sealed_opens(text):
    text = text.encode("utf-8", "ignore").decode()
    keys = ring(OLD)
    value = keys.seal(Secret(text), tenant="acme", name="x")
    assert keys.open(value, key_id=keys.key_id, tenant="acme", name="x").reveal() == text


def test_equal_values_look_different():
    assert sealed() != sealed()
    assert b"canary" not in sealed()


@pytest.mark.parametrize("place", [{"tenant": "other"}, {"name": "other"}])
def test_a_value_opens_in_its_own_row_only(place):
    keys = ring(OLD)
    row = {"tenant": "acme", "name": "crmToken", **place}
    with pytest.raises(CannotOpen, match="moved to another row"):
        keys.open(sealed(), key_id=keys.key_id, **row)


@pytest.mark.parametrize("at", [0, 1, 13, -1])
def test_a_value_that_was_changed_does_not_open(at):
    keys, value = ring(OLD), bytearray(sealed())
    value[at] ^= 1
    with pytest.raises(CannotOpen):
        keys.open(bytes(value), key_id=keys.key_id, tenant="acme", name="crmToken")


@pytest.mark.parametrize("value", [b"", b"\x01", b"\x01" + bytes(12)])
def test_what_is_no_value_does_not_open(value):
    keys = ring(OLD)
    with pytest.raises(CannotOpen):
        keys.open(value, key_id=keys.key_id, tenant="acme", name="crmToken")


def test_the_first_key_encrypts_and_all_decrypt():
    both, old = ring(NEW, OLD), ring(OLD)
    assert both.key_id == ring(NEW).key_id
    assert both.open(sealed(), key_id=old.key_id, tenant="acme", name="crmToken").reveal() == "sk-canary"
    with pytest.raises(CannotOpen, match=f"under the key {old.key_id}, which LUMEFLOW_SECRET_KEY does not hold"):
        ring(NEW).open(sealed(), key_id=old.key_id, tenant="acme", name="crmToken")


@pytest.mark.parametrize("text", ["short", "Zm9v", "é" * 44, OLD[:-4]])
def test_what_is_no_key_is_refused_without_being_told(text):
    with pytest.raises(UsageError, match="key 2 is not 32 bytes in base64") as caught:
        ring(OLD, text)
    assert text not in str(caught.value)


def test_without_a_key_nothing_is_stored():
    with pytest.raises(UsageError, match="set LUMEFLOW_SECRET_KEY"):
        Keyring.of({}).seal(Secret("x"), tenant="acme", name="x")


def test_the_library_is_loaded_when_something_is_encrypted():
    code = "import lumeflow.app, sys; assert 'cryptography' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
