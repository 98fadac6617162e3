"""Builds under way beside erasures: a build may take minutes, and an erasure neither waits for it nor is undone by it.

Which build is in use changes under one lock, held for that step alone. A build that was begun before an erasure may have
read what was erased: the erasure leaves it a note with the ids, and the build drops them before it is used. A note lies
among the build's own tables, which name the customer too, and goes with them; the system lets the lock go where its holder
dies.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from features import builds
from features.log import Pending

_NOTE = "erased-"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Inside, nobody else erases from the builds of a folder, switches to one or loads from one. Keep it short.

    Raises FeatureStoreError where the lock's file, beside the folder, cannot be opened for writing.
    """
    lock = folder.with_name(f".{folder.name}.lock")
    try:
        opened = lock.open("a")
    except OSError as error:
        raise builds.FeatureStoreError(f"{lock}: cannot be opened ({error.strerror}); builds and loads write there") from error
    with opened as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def tell(folder: Path, erased: Pending) -> None:
    """Leave a note of an erasure to every build that is being written. Only inside `alone`."""
    for partial in builds.partials(folder):
        with suppress(FileNotFoundError):  # it failed just now, and went away
            (partial / f"{_NOTE}{erased.receipt_id}.json").write_bytes(msgspec.json.encode(erased))


def told(partial: Path, *, after: int) -> frozenset[str]:
    """The ids erased with later records than `after`, of the notes that a build was left; the notes are gone then.

    Only inside `alone`. An id that was erased up to `after` may have started afresh, and the build never knew what was before.
    """
    ids: set[str] = set()
    for note in partial.glob(f"{_NOTE}*.json"):
        erased = msgspec.json.decode(note.read_bytes(), type=Pending)
        if erased.sequence > after:
            ids.update(erased.members)
        note.unlink()
    return frozenset(ids)
