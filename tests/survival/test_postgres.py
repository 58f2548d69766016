"""The plan's workflow on PostgreSQL: killed, resumed, and with the server restarted under it."""

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.postgres_server import PostgresServer
from tests.survival.checks import Undisturbed, assert_survived
from tests.survival.world import Desk, communicate


@dataclass
class PostgresDesk(Desk):
    """A desk whose database is one of the server's."""

    server: PostgresServer = field(kw_only=True)
    database: str = field(kw_only=True)

    @property
    def db(self) -> Any:
        """The database's URL."""
        return self.server.url(self.database)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Read the database behind the product's back; before there are tables, nothing."""
        try:
            lines = self.server.sql(statement, self.database).splitlines()
        except RuntimeError:
            return [(0,)]
        return [tuple(line.split("|")) for line in lines]

    def wait_for_answers(self, number: int, operation: str = "%") -> None:
        """Return when so many answers are stored."""
        statement = f"SELECT count(*) FROM effects WHERE state = 'answered' AND operation LIKE '{operation}'"
        deadline = time.monotonic() + 60
        while int(self.rows(statement)[0][0]) < number:
            assert time.monotonic() < deadline, f"there were no {number} answers"
            time.sleep(0.02)


@pytest.fixture
def postgres_desk(desk: Desk, postgres: PostgresServer) -> Iterator[PostgresDesk]:
    """A desk on an empty database; the simulator has forgotten whatever was before."""
    database = postgres.new_database()
    yield PostgresDesk(desk.folder, desk.simulator, desk.environ, desk.document, server=postgres, database=database)
    postgres.drop(database)


def test_it_gives_what_it_gives_on_sqlite(postgres_desk: PostgresDesk, undisturbed: Undisturbed):
    ended = postgres_desk.run()
    assert_survived(postgres_desk, ended, undisturbed, in_flight=0)
    listed = postgres_desk.cli("executions", "list", "--json")
    assert listed.code == 0, listed
    assert listed.result["executions"][0]["status"] == "completed"


@pytest.mark.parametrize("fault", ["ledger.before-commit:4", "ledger.after-commit:6", "records.before-commit:2"])
def test_killed_beside_a_commit_it_resumes_at_once(postgres_desk: PostgresDesk, undisturbed: Undisturbed, fault: str):
    postgres_desk.kill(fault=fault)
    in_flight = postgres_desk.open_claims()
    started = time.monotonic()
    ended = postgres_desk.resume()
    assert time.monotonic() - started < 25, "it did not wait for a lease to end"
    assert_survived(postgres_desk, ended, undisturbed, in_flight)


def test_killed_again_and_again(postgres_desk: PostgresDesk, undisturbed: Undisturbed):
    in_flight = 0
    for attempt, answers in enumerate((5, 20, 40)):
        words = postgres_desk.resume_words() if attempt else postgres_desk.run_words()
        with postgres_desk.process(*words) as process:
            postgres_desk.wait_for_answers(answers)
            process.kill()
            assert communicate(process).code == -signal.SIGKILL
        in_flight += postgres_desk.open_claims()
    assert_survived(postgres_desk, postgres_desk.resume(), undisturbed, in_flight)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
def test_the_server_may_go_away_and_come_back(postgres_desk: PostgresDesk, undisturbed: Undisturbed, how: int):
    server = postgres_desk.server
    words = postgres_desk.run_words()
    with postgres_desk.process(*words) as process:
        for answers in (5, 30):
            postgres_desk.wait_for_answers(answers)
            server.stop(how)
            time.sleep(0.2)
            server.start()
        ended = communicate(process)
    assert_survived(postgres_desk, ended, undisturbed, in_flight=0)
