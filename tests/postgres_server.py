"""A real PostgreSQL of the tests' own, on a free port of this machine, gone when they end."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest


class Server:
    """`url` and a database's name make the address of a log. Text sorts as English does (from version 15 on), not by bytes."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries, self._folder, self._as = binaries, folder, _other_user(folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/"
        told = subprocess.run([binaries / "initdb", "--version"], capture_output=True, text=True, check=True).stdout
        english = int(told.split()[2].partition(".")[0]) >= 15
        locale = ("--locale-provider=icu", "--icu-locale=en-US") if english else ()
        text = ("--locale=C.UTF-8", "--encoding=UTF8", *locale)
        command = [binaries / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "--no-sync", *text]
        made = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, **self._as)
        assert made.returncode == 0, made.stderr
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": 60}
        given = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = [self._binaries / "postgres", "-D", self._folder / "data", *given]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(command, cwd=self._folder, **quiet, **self._as)
        for _ in range(1_000):
            assert self._process.poll() is None, "postgres did not start"
            try:
                self.run("SELECT 1")
                return
            except psycopg.OperationalError:
                time.sleep(0.02)
        raise AssertionError("postgres did not answer")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Closes what is connected and keeps what was committed; SIGQUIT does not wait until it is written to its place."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def run(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url + database, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@contextmanager
def running() -> Iterator[Server]:
    """An empty server. PostgreSQL must be installed (Debian's package `postgresql`); its default cluster is not used."""
    found = binaries()
    if found is None:
        # what Kairos itself needs does not include PostgreSQL; `.ci/run` has it and fails where anything is skipped
        pytest.skip("PostgreSQL is not installed; run 'apt-get install postgresql'")
    # not in pytest's folder, which only its owner may enter
    with tempfile.TemporaryDirectory(prefix="kairos-postgres-") as folder:
        server = Server(found, Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop(signal.SIGQUIT)


def binaries() -> Path | None:
    """The newest, where several are installed; Debian does not put them on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _other_user(folder: Path) -> dict[str, Any]:
    """How to run as `postgres` where the tests run as root, whom PostgreSQL refuses."""
    if os.getuid() != 0:
        return {}
    shutil.chown(folder, "postgres", "postgres")
    return {"user": "postgres", "group": "postgres", "extra_groups": []}
