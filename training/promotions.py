"""The record of what was promoted when, and the one step that changes what servers answer with.

`promotions.ndjson` lies beside the bundles, a line for each time that one was put in force, the oldest first. The order of
the step is: aliases in MLflow, record, pointer. Wherever it is cut off the pointer tells what answers, and the record is read
by it: what was written but never came into force does not count.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from features import bundle
from training.alone import in_turn, wall_clock
from training.errors import TrainingError
from training.registry import Registry, Version

FILE = "promotions.ndjson"
_LOCK = ".changing.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A bundle was put in force in place of `before`; `back`: by a rollback. `versions` are its champions by model."""

    at: datetime
    bundle: str
    before: str | None
    versions: Mapping[str, Version]
    back: bool = False


def recorded(folder: Path) -> tuple[Promotion, ...]:
    """Everything that was put in force from a folder of bundles. Raises TrainingError where the record cannot be read."""
    file = folder / FILE
    try:
        return tuple(msgspec.json.decode(line, type=Promotion) for line in file.read_bytes().splitlines())
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        raise TrainingError(f"{file}: cannot be read ({error}); mend it, or move it away and promote again") from error


def standing(history: Sequence[Promotion], current: str | None) -> list[Promotion]:
    """What led to the bundle `current`, each standing on the one before. `current` is the last, where the record knows it;
    for None, when nothing answers, there is nothing.

    A promotion is put on top. A rollback takes away what is above the bundle that it goes back to, or puts one on top that
    had been taken away.
    """
    stack: list[Promotion] = []
    for at, one in enumerate(history):
        _be_at(stack, one.before, history[:at])
        if one.back:
            _be_at(stack, one.bundle, history[: at + 1])
        elif stack and stack[-1].bundle == one.bundle:
            stack[-1] = one
        else:
            stack.append(one)
    _be_at(stack, current, history)
    return stack


def earlier(history: Sequence[Promotion], current: str | None) -> Promotion | None:
    """What was in force before the bundle `current`; None where nothing was."""
    below = [one for one in standing(history, current) if one.bundle != current]
    return below[-1] if below else None


def taken_back(history: Sequence[Promotion], current: str | None, versions: Mapping[str, Version]) -> Promotion | None:
    """The promotion of these very versions that a rollback has undone since; None where there is none."""
    still = {one.bundle for one in standing(history, current)}
    undone = [one for one in history if one.versions == versions and one.bundle not in still]
    return undone[-1] if undone else None


def changing(folder: Path) -> AbstractContextManager[None]:
    """Inside, nobody else changes what servers answer with from a folder of bundles; waits for whoever does."""
    return in_turn(folder / _LOCK)


def put_in_force(
    folder: Path, registry: Registry, *, alias: str, made: str, versions: Mapping[str, Version], back: bool = False
) -> bool:
    """Point the alias to the versions and the servers to the bundle `made`; whether they had another before. Inside `changing`.

    All or none: where something fails, the aliases are put back and the pointer stays. Raises TrackingError, and TrainingError
    where the folder cannot be written.
    """
    history, before = recorded(folder), bundle.current(folder)
    stack = standing(history, before)
    top = stack[-1] if stack else None
    gone = {one.name for one in top.versions.values()} - {one.name for one in versions.values()} if top else set()
    try:
        with registry.moved(alias, tuple(versions.values()), gone=sorted(gone)):
            if top is None or (top.bundle, top.versions) != (made, versions):
                new = Promotion(at=wall_clock(), bundle=made, before=before, versions=versions, back=back)
                _write(folder, (*history, new))
            bundle.switch(folder, made)
    except OSError as error:
        raise TrainingError(f"{folder}: cannot be written ({error.strerror}); make room there, and run it again") from error
    return before != made


def settle(folder: Path, registry: Registry, *, alias: str) -> None:
    """Where a step was cut off: point the alias to the versions of the bundle that answers. Inside `changing`."""
    current = bundle.current(folder)
    for one in standing(recorded(folder), current)[-1:]:
        versions = tuple(one.versions.values())
        # a store that does not hold them is another than that of the promotion: nothing was cut off there
        if one.bundle == current and all(registry.holds(version) for version in versions):
            with registry.moved(alias, versions):
                pass


def _be_at(stack: list[Promotion], hash: str | None, known: Sequence[Promotion]) -> None:
    """Take away what is above a bundle, everything for None; one that is not in the stack, but known, is put on top."""
    if hash is None or any(one.bundle == hash for one in stack):
        while stack and stack[-1].bundle != hash:
            stack.pop()
    else:
        stack += [one for one in known if one.bundle == hash][-1:]


def _write(folder: Path, history: Sequence[Promotion]) -> None:
    """The whole record anew, so that a reader sees the one of before or this one."""
    partial = folder / f".{FILE}-{os.getpid()}"
    with partial.open("wb") as opened:
        opened.writelines(_lines(history))
        opened.flush()
        os.fsync(opened.fileno())
    os.replace(partial, folder / FILE)


def _lines(history: Sequence[Promotion]) -> Iterator[bytes]:
    for one in history:
        yield msgspec.json.encode(one, order="sorted") + b"\n"
