"""One at a time: a lock on a file, which the system lets go when its holder ends or dies, and a note in it of who that is."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from training.errors import AnotherIsRunning, TrainingError

TRAINING = "training.lock"
"""The file, in the workspace's data folder, that whoever trains holds."""


def wall_clock() -> datetime:
    """The machine's time, by which MLflow stamps its runs too: locks and promotions belong to the operators' world, whatever
    time the brand's engine lives in.
    """
    return datetime.now(UTC)


@contextmanager
def alone(file: Path, doing: str) -> Iterator[None]:
    """Inside, nobody else holds the file; `doing` tells others what goes on.

    Raises AnotherIsRunning at once, saying who holds it since when; TrainingError where the file cannot be opened.
    """
    with _opened(file) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnotherIsRunning(_said(file)) from None
        _write(lock, msgspec.json.encode(_Holder(doing=doing, pid=os.getpid(), host=socket.gethostname(), since=wall_clock())))
        try:
            yield
        finally:
            _write(lock, b"")


@contextmanager
def in_turn(file: Path) -> Iterator[None]:
    """Inside, nobody else holds the file; waits for whoever does. Keep it short. Raises TrainingError as `alone` does."""
    with _opened(file) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holder:
    doing: str
    pid: int
    host: str
    since: datetime


def _opened(file: Path) -> BinaryIO:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return file.open("ab")
    except OSError as error:
        raise TrainingError(f"{file}: cannot be opened ({error.strerror}); make it a file that you may write") from error


def _write(lock: BinaryIO, note: bytes) -> None:
    """A note that cannot be written, on a full disk, is done without: the lock is what counts."""
    try:
        lock.truncate(0)
        os.write(lock.fileno(), note)
    except OSError:
        return


def _said(file: Path) -> str:
    cure = "wait until it has ended, or end it"
    try:
        holder = msgspec.json.decode(file.read_bytes(), type=_Holder)
    except (OSError, msgspec.DecodeError):
        # it took the lock this very moment
        return f"another process holds {file}; {cure}"
    since = f"{holder.since:%Y-%m-%d %H:%M:%S} UTC"
    return f"`{holder.doing}` is running: process {holder.pid} on {holder.host} since {since} holds {file}; {cure}"
