"""A real Redis of the tests' own, on a free port of this machine, gone when they end."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The address of an empty server. `redis-server` must be installed (Debian's package of that name)."""
    binary = shutil.which("redis-server")
    if binary is None:
        # what Kairos itself needs does not include Redis; `.ci/run` has it and fails where anything is skipped
        pytest.skip("redis-server is not installed; run 'apt-get install redis-server'")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [binary, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    server = subprocess.Popen(
        [*command, "--hash-max-listpack-value", "512"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(server, port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


def _wait(server: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(500):
        assert server.poll() is None, "redis-server did not start"
        with redis.Redis(port=port) as client:
            try:
                client.ping()
                # it is ours: another server on that port would have another process
                assert client.info("server")["process_id"] == server.pid
                return
            except redis.ConnectionError:
                time.sleep(0.02)
    raise AssertionError("redis-server did not answer")
