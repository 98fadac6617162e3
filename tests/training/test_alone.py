"""A lock that keeps others out, says who holds it since when, and is free as soon as its holder is gone."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from training.alone import alone, in_turn
from training.errors import AnotherIsRunning, TrainingError

_HOLDS = """
import sys, time
from pathlib import Path
from training.alone import alone
with alone(Path(sys.argv[1]), "kairos retrain"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_one_is_refused_at_once_and_told_who_holds_it_since_when(tmp_path: Path) -> None:
    lock = tmp_path / "data" / "training.lock"
    began = datetime.now(UTC).replace(microsecond=0)
    with alone(lock, "kairos train"), pytest.raises(AnotherIsRunning) as refused, alone(lock, "kairos retrain"):
        raise AssertionError("two at once")
    text = str(refused.value)
    assert text.startswith(f"`kairos train` is running: process {os.getpid()} on ")
    since = datetime.strptime(text.partition(" since ")[2][:23], "%Y-%m-%d %H:%M:%S %Z").replace(tzinfo=UTC)
    assert began <= since <= datetime.now(UTC)
    assert text.endswith("wait until it has ended, or end it")
    with alone(lock, "kairos retrain"):  # it is free again
        pass


def test_an_error_inside_frees_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone(tmp_path / "lock", "a test"):
        _ = 1 / 0
    with alone(tmp_path / "lock", "a test"):
        pass


def test_a_holder_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "training.lock"
    with subprocess.Popen([sys.executable, "-c", _HOLDS, str(lock)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with pytest.raises(AnotherIsRunning, match=f"`kairos retrain` is running: process {holder.pid} on"), alone(lock, "x"):
            raise AssertionError("two at once")
        holder.kill()
        holder.wait()
    assert lock.read_bytes()  # what it wrote of itself is still there, and says nothing
    with alone(lock, "kairos retrain"):
        pass


def test_a_turn_is_waited_for(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with in_turn(tmp_path / "lock"):
            order.append("second")

    with in_turn(tmp_path / "lock"):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.1)
        order.append("first")
    waiting.join(30)
    assert order == ["first", "second"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(TrainingError, match="cannot be opened"), alone(tmp_path / "data" / "lock", "a test"):
        raise AssertionError("it was opened")
