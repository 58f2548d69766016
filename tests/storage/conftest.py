"""Open databases, and assertions explained inside the contract suites too."""

import pytest

from lumeflow.storage import open_database

pytest.register_assert_rewrite("tests.storage.contracts")


@pytest.fixture(params=["file", "memory"])
async def storage(request, tmp_path):
    """An open, empty database: on disk, then in memory."""
    url = "sqlite:///:memory:" if request.param == "memory" else str(tmp_path / "lumeflow.db")
    database = await open_database(url, data_dir=tmp_path)
    yield database
    await database.close()


@pytest.fixture
async def database(tmp_path):
    """An open, empty database on disk."""
    database = await open_database(str(tmp_path / "lumeflow.db"), data_dir=tmp_path)
    yield database
    await database.close()
