"""Where the database and the data folder are."""

from pathlib import Path

import pytest

from lumeflow.core.errors import StorageError, UsageError
from lumeflow.storage import default_data_dir
from lumeflow.storage.locations import locate

HOME = Path.home()


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {}, HOME / ".local/share/lumeflow"),
        ("linux", {"XDG_DATA_HOME": "/data"}, Path("/data/lumeflow")),
        ("linux", {"XDG_DATA_HOME": "relative"}, HOME / ".local/share/lumeflow"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, HOME / "Library/Application Support/lumeflow"),
        ("win32", {"LOCALAPPDATA": "/appdata"}, Path("/appdata/lumeflow")),
        ("win32", {}, HOME / "AppData/Local/lumeflow"),
    ],
)
def test_the_data_folder_follows_the_platforms_convention(platform, environment, folder):
    assert default_data_dir(environment, platform) == folder


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////var/lib/leads.db", Path("/var/lib/leads.db")),
        ("sqlite:///leads.db", Path.cwd() / "leads.db"),
        ("leads.db", Path.cwd() / "leads.db"),
        ("./a b/leads?x=1.db", Path.cwd() / "a b/leads?x=1.db"),
        ("~/leads.db", HOME / "leads.db"),
        ("sqlite:///:memory:", None),
        (":memory:", None),
    ],
)
def test_urls_and_paths(url, path, tmp_path):
    assert locate(url, tmp_path) == path


def test_without_a_url_it_is_in_the_data_folder_which_is_made(tmp_path):
    assert locate(None, tmp_path / "a" / "b") == tmp_path / "a" / "b" / "lumeflow.db"
    assert (tmp_path / "a" / "b").is_dir()


def test_a_data_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"data folder .*file/x: it cannot be made"):
        locate(None, tmp_path / "file" / "x")


@pytest.mark.parametrize("url", ["", "mysql://h/db", "sqlite://leads.db", "sqlite:leads.db", "sqlite:///", "a\0b"])
def test_other_urls_are_refused_with_the_forms_that_are_understood(url, tmp_path):
    with pytest.raises(UsageError, match="expected sqlite:///PATH, sqlite:///:memory:, a path, or postgresql://"):
        locate(url, tmp_path)


@pytest.mark.parametrize("url", ["postgresql://ada:s3cret@db.example.com/x", "mysql://ada:s3cret@db.example.com/x"])
def test_a_password_is_not_repeated(url, tmp_path):
    with pytest.raises(UsageError) as caught:
        locate(url, tmp_path)
    assert "s3cret" not in str(caught.value)
