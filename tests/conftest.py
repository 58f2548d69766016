"""What tests of several folders share."""

from collections.abc import Callable, Iterator

import pytest

from tests.postgres_server import PostgresServer
from tests.scratch import use_memory


def pytest_configure() -> None:
    """Before anything asks for a temporary folder."""
    use_memory()


UNCOVERED = (
    "tests/core/expressions/test_expression_properties.py",
    "tests/plugins/test_block_contract.py",
    "tests/providers/test_every_operation.py",
    "tests/server/test_fuzzed_documents.py",
    "tests/server/test_openapi.py",
    "tests/server/test_slow_clients.py",
    "tests/storage/test_record_codec.py",
    "tests/storage/test_volume.py",
    "tests/survival/",
)
"""Tests that come by the same lines thousands of times. Others reach these lines as well: measuring them only takes time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave some tests out of the coverage."""
    for item in items:
        if item.nodeid.startswith(UNCOVERED):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test process; started by the first test that asks for it."""
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture
def new_postgres(postgres: PostgresServer) -> Iterator[Callable[[], str]]:
    """Makes empty databases; returns their URLs."""
    made: list[str] = []

    def make() -> str:
        made.append(postgres.new_database())
        return postgres.url(made[-1])

    yield make
    for name in made:
        postgres.drop(name)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Names of tests must be the same in every process: what was packed by gzip holds the time."""
    return argname if isinstance(val, bytes) and b"\x1f\x8b" in val else None
