"""One simulator for each test process, and an undisturbed run to compare with."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.survival.checks import Undisturbed
from tests.survival.world import Desk, Simulator, environment, paid_document


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this test process."""
    return tmp_path_factory.mktemp("survival")


@pytest.fixture(scope="session")
def environ(base: Path) -> Mapping[str, str]:
    """Environment of all processes."""
    return environment(base)


@pytest.fixture(scope="session")
def simulator(environ: Mapping[str, str]) -> Iterator[Simulator]:
    """The vendors, in a process of their own."""
    running = Simulator(environ)
    yield running
    running.close()


@pytest.fixture(scope="session")
def make_desk(base: Path, environ: Mapping[str, str], simulator: Simulator) -> Callable[[Path], Desk]:
    """Makes a desk with a database of its own in a folder."""
    document = paid_document(base / "workflow.json")
    return lambda folder: Desk(folder, simulator, environ, document)


@pytest.fixture
def desk(tmp_path: Path, make_desk: Callable[[Path], Desk], simulator: Simulator) -> Desk:
    """A desk; the simulator has forgotten whatever was before."""
    simulator.reset()
    return make_desk(tmp_path)


@pytest.fixture(scope="session")
def undisturbed(base: Path, make_desk: Callable[[Path], Desk], simulator: Simulator) -> Undisturbed:
    """The execution of these tests, run without any trouble."""
    simulator.reset()
    folder = base / "undisturbed"
    folder.mkdir()
    desk = make_desk(folder)
    ended = desk.run()
    assert ended.code == 0, ended
    return Undisturbed(ended.result, desk.records(), simulator.bill())
