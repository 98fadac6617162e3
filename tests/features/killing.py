"""Kills each step of the feature store at points spread through it, runs it again, and tells what is different then.

`python -m tests.features.killing FOLDER STEP...` prints a JSON line for each point. Every run is a process of its own, forked
from one that has only imported: it counts the calls that leave Python (files, SQL) and sends itself SIGKILL before one of
them.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from features import builds, ingest, offline
from features.erasure import erase
from features.log import Log
from features.packed import PackedStore
from features.projector import Projector
from features.workspace import Workspace
from tests.features import worlds
from tests.features.worlds import START, year

POINTS = 10
"""How often each step is killed."""

MODULES = frozenset({"posix", "_io", "io", "fcntl"})
FILES = frozenset(
    {
        *("open", "write", "close", "__exit__", "fsync", "flock", "truncate"),
        *("replace", "rename", "link", "unlink", "remove", "rmdir", "mkdir"),
    }
)
DATA = frozenset({"execute", "executemany", "commit", "write_parquet", "sink_parquet", "collect"})
GONE = "c3"
"""Whom the step erase erases."""


def _brand(folder: Path) -> Workspace:
    return worlds.workspace(folder)


def _lines(count: int) -> bytes:
    rows = [
        {
            "type": "track",
            "event": "Order Completed",
            "messageId": f"m{at}",
            "userId": f"c{at % 5}" if at % 7 else None,
            "timestamp": f"2017-11-05T10:{at % 60:02d}:00Z",
            "properties": {"total": at / 4},
        }
        for at in range(count)
    ]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _ingest(place: Workspace, log: Log) -> None:
    ingest.ingest(place, log, [place.path / "events.ndjson"], now=START + timedelta(days=365))


def _build(place: Workspace, log: Log) -> None:
    offline.build(place, log)


def _materialize(place: Workspace, log: Log) -> None:
    offline.materialize(place, log)


def _erase(place: Workspace, log: Log) -> None:
    store = PackedStore(place.data / offline.ONLINE, place.profile)
    projector = Projector(log, store, place.profile, place.brand.time_zone)
    erase(GONE, log=log, store=store, projector=projector, data=place.data, at=START)
    store.close()


STEPS: dict[str, Callable[[Workspace, Log], None]] = {
    "ingest": _ingest,
    "build": _build,
    "materialize": _materialize,
    "erase": _erase,
}


def prepared(folder: Path, step: str) -> None:
    """A workspace just before the step, with what an earlier run of it left."""
    place = _brand(folder)
    place.data.mkdir(exist_ok=True)
    (place.path / "events.ndjson").write_bytes(_lines(30))
    log = Log(place.log_url)
    _ingest(place, log)
    log.append(year(1, customers=6, records=40))
    if step == "ingest":
        (place.path / "events.ndjson").write_bytes(_lines(120))
    else:
        _build(place, log)
    if step in ("materialize", "erase"):
        _materialize(place, log)
    if step != "ingest":
        log.append([worlds.order(f"later{at}", f"c{at % 6}", START + timedelta(days=320 + at)) for at in range(20)])
    if step == "materialize":
        _build(place, log)
        log.append([worlds.order(f"last{at}", f"c{at % 6}", START + timedelta(days=350 + at)) for at in range(9)])
    if step == "erase":
        _build(place, log)  # the store still holds the build before
    log.close()


def told(place: Workspace) -> dict[str, Any]:
    """All that the workspace keeps, as it is read."""
    log = Log(place.log_url)
    customers = [f"c{at}" for at in range(12)]
    found: dict[str, Any] = {
        "records": [
            (one.sequence, one.kind, *(() if one.kind == "erasure" else (one.message_id, one.customer_id, one.body)))
            for one in log.read()
        ],
        "whole": log.verify().whole,
        "states": [repr(log.state(customer)) for customer in customers],
    }
    report = builds.current(place.data / "offline")
    if report is not None:
        tables = sorted((place.data / "offline" / report.stamp).glob("*.parquet"))
        found["tables"] = {table.name: repr(pl.read_parquet(table).rows()) for table in tables}
        found["report"] = [(one.view, one.rows, one.customers) for one in report.tables]
        store = PackedStore(place.data / offline.ONLINE, place.profile)
        found["quality"] = [file.read_text() for file in sorted((place.data / "quality").glob("*"))]
        found["cursor"] = store.cursor
        found["population"] = store.population()
        for view in place.profile.views:
            rows = store.rows(view, customers)
            found[f"online {view}"] = repr(
                [rows.customers, rows.values.tolist(), rows.as_of_us.tolist(), rows.known_us.tolist()]
            )
        store.close()
    log.close()
    stamps = {} if report is None else {report.stamp: "the build"}
    files = [str(file.relative_to(place.data)) for file in place.data.rglob("*") if file.is_file()]
    found["files"] = sorted("/".join(stamps.get(part, part) for part in file.split("/")) for file in files)
    found["quarantine"] = {file.name: file.read_text() for file in (place.data / "quarantine").glob("*")}
    return found


def forked(work: Callable[[], Any]) -> tuple[Any, int]:
    """What `work` returned in a process of its own (None where it did not end), and the signal that ended it (0: none)."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out)
        ended = 1
        try:
            with os.fdopen(into, "w") as answer:
                json.dump(work(), answer)
            ended = 0
        finally:
            sys.stderr.flush()
            os._exit(ended)
    os.close(into)
    with os.fdopen(out) as answer:
        text = answer.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a run failed; see above")
    return json.loads(text) if text else None, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def run(folder: Path, step: str, *, kill_before: int = -1) -> list[str]:
    """Run the step; the calls that left Python. Dies before the one whose number is given."""
    place = Workspace.load(folder)
    log = Log(place.log_url)
    calls: list[str] = []

    def leaving(_: Any, event: str, called: Any) -> None:
        if event == "c_call" and _leaves_python(called):
            if len(calls) == kill_before:
                os.kill(os.getpid(), signal.SIGKILL)
            calls.append(called.__name__)

    sys.setprofile(leaving)
    try:
        STEPS[step](place, log)
    finally:
        sys.setprofile(None)
    log.close()
    return calls


def _leaves_python(called: Any) -> bool:
    """Whether a built-in function opens or changes a file, or asks a database or Polars."""
    if called.__name__ in DATA:
        return True
    where = called.__module__ or type(called.__self__).__module__
    return called.__name__ in FILES and where in MODULES


def rerun(folder: Path, step: str) -> dict[str, Any]:
    run(folder, step)
    return told(Workspace.load(folder))


def points(folder: Path, step: str) -> Iterator[dict[str, Any]]:
    before, whole = folder / step / "before", folder / step / "whole"
    forked(lambda: prepared(before, step))
    shutil.copytree(before, whole)
    calls, _ = forked(lambda: run(whole, step))
    expected, _ = forked(lambda: told(Workspace.load(whole)))
    for at in range(POINTS):
        number = at * (len(calls) - 1) // (POINTS - 1)
        place = folder / step / str(number)
        shutil.copytree(before, place)
        _, ended_by = forked(lambda place=place, number=number: run(place, step, kill_before=number))  # type: ignore[misc]
        again, _ = forked(lambda place=place: rerun(place, step))  # type: ignore[misc]
        different = {name: [expected.get(name), again.get(name)] for name in expected.keys() | again.keys()}
        yield {
            "step": step,
            "point": f"{number} of {len(calls)}, before {calls[number]}",
            "ended_by": ended_by,
            "different": {name: both for name, both in different.items() if both[0] != both[1]},
        }
        shutil.rmtree(place)


def ready() -> None:
    """What takes long to import is imported once, before all the forks; a small file takes several commits."""
    import features.definitions  # noqa: F401 - it brings Feast

    ingest.BATCH_RECORDS = 15


if __name__ == "__main__":
    ready()
    for name in sys.argv[2:]:
        for point in points(Path(sys.argv[1]), name):
            print(json.dumps(point), flush=True)
