"""Secrets in files and folders."""

import pytest

from lumeflow.core.errors import UsageError
from lumeflow.vault.files import read_secrets


def read(*paths):
    return {
        tenant: {name: secret.reveal() for name, secret in secrets.items()}
        for tenant, secrets in read_secrets(paths).items()
    }


def test_a_folder_as_kubernetes_mounts_it(tmp_path):
    hidden = tmp_path / "..2026_01_09"
    hidden.mkdir()
    (hidden / "crmToken").write_text("tok-1\n")
    (tmp_path / "..data").symlink_to(hidden)
    (tmp_path / "crmToken").symlink_to(tmp_path / "..data" / "crmToken")
    (tmp_path / "pem").write_text("line 1\nline 2\n")
    (tmp_path / "empty").write_text("\n")
    acme = tmp_path / "acme"
    acme.mkdir()
    (acme / "APOLLO_API_KEY").write_text("theirs")
    assert read(tmp_path) == {
        "default": {"crmToken": "tok-1", "pem": "line 1\nline 2"},
        "acme": {"APOLLO_API_KEY": "theirs"},
    }


def test_a_file_of_lines(tmp_path):
    path = tmp_path / "secrets.env"
    path.write_text(
        "\ufeff# of the CRM\n\ncrmToken = a=b # c \nexport quoted=\" x \"\nsingle='y'\nacme/crmToken=theirs\nnone=\n"
    )
    assert read(path) == {
        "default": {"crmToken": "a=b # c", "quoted": " x ", "single": "y"},
        "acme": {"crmToken": "theirs"},
    }


def test_the_first_place_counts(tmp_path):
    one, two = tmp_path / "one.env", tmp_path / "two.env"
    one.write_text("a=1")
    two.write_text("a=2\nb=2")
    assert read(one, two) == {"default": {"a": "1", "b": "2"}}


@pytest.mark.parametrize("line", ["sk-canary-1", "bad name=sk-canary-1", "../x=sk-canary-1", "/x=sk-canary-1", "=x"])
def test_a_line_that_is_none_is_named_by_its_number(tmp_path, line):
    path = tmp_path / "secrets.env"
    path.write_text(f"a=1\n{line}\n")
    with pytest.raises(UsageError, match=r"line 2 of .* is not NAME=VALUE") as caught:
        read(path)
    assert "canary" not in str(caught.value)


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"LUMEFLOW_SECRETS: cannot read .*nowhere"):
        read(tmp_path / "nowhere")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="binary is not a text in UTF-8"):
        read(tmp_path)
    (tmp_path / "binary").write_bytes(b"x" * 65_537)
    with pytest.raises(UsageError, match="larger than 65536 bytes"):
        read(tmp_path)
