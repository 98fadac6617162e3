"""Several servers on one workspace: what one of them hears, the others know; one that is killed is not missed."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import corner, redis_server

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    process: "subprocess.Popen[bytes]"
    url: str

    def ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def up(self) -> bool:
        assert self.process.poll() is None
        try:
            return bool(self.ask("/health/live"))
        except OSError:
            return False

    def order(self, name: str, customer: str) -> None:
        self.ask("/v1/events", {"batch": [ordered(name, customer)]})

    def stage(self, customer: str) -> str:
        """The journey stage of one who is asked for: a prospect has no order in the profile."""
        ask = {"customer_id": customer, "touchpoint": "phone", "mode": "simulate"}
        return str(self.ask("/v1/decisions", ask)["journey_stage"])

    def profiles(self) -> Any:
        return self.ask("/health/ready")["parts"]["profiles"]


def ordered(name: str, customer: str) -> dict[str, Any]:
    properties = {"total": 12.0, "products": [{"category": "PASTRY", "price": 12.0, "quantity": 1}]}
    message = {"type": "track", "event": "Order Completed", "messageId": name, "userId": customer, "properties": properties}
    return message | {"timestamp": "2017-12-20T17:30:00Z"}


def until(true: Callable[[], bool]) -> None:
    for _ in range(1200):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return corner.write_workspace(tmp_path / "brand")


@pytest.fixture(params=["file", "redis"])
def servers(
    request: pytest.FixtureRequest, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Server]]:
    with ExitStack() as stack:
        if request.param == "redis":
            monkeypatch.setenv("KAIROS_ONLINE_URL", stack.enter_context(redis_server.running(tmp_path)))
        started = []
        for _ in range(2):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            command = [sys.executable, "-m", "kairos", "serve", "-w", str(folder), "--port", str(port)]
            process = stack.enter_context(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL))
            stack.callback(process.kill)
            started.append(Server(process, f"http://127.0.0.1:{port}"))
        for one in started:
            until(one.up)
        yield started


def test_what_one_server_hears_or_a_file_brings_all_know_also_when_one_is_killed(
    servers: list[Server], folder: Path, tmp_path: Path
) -> None:
    first, second = servers
    assert second.stage("anna") == "prospect"
    first.order("m1", "anna")
    until(lambda: second.stage("anna") == "active")
    second.order("m2", "bob")
    until(lambda: first.stage("bob") == second.stage("bob") == "active")

    export = tmp_path / "history.ndjson"
    export.write_text("".join(json.dumps(ordered(f"f{at}", f"c{at}")) + "\n" for at in range(50)), encoding="utf-8")
    taken_in = [sys.executable, "-m", "kairos", "ingest", str(export), "-w", str(folder)]
    subprocess.run(taken_in, cwd=ROOT, check=True, capture_output=True)
    until(lambda: first.stage("c49") == second.stage("c49") == "active")

    first.process.kill()
    second.order("m3", "carl")
    until(lambda: second.stage("carl") == "active")
    until(lambda: second.profiles()["behind"] == 0)
    assert second.profiles()["status"] == "empty"  # nothing was ever loaded, so nothing is known of all customers together
    second.process.terminate()
    assert second.process.wait(30) == -signal.SIGTERM
