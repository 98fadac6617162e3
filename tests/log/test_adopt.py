"""A log that version 1 wrote, opened by this version: nothing is lost, and all of it is sealed and chained from then on."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from features.log import Log, Record
from features.log.adopt import WRITER
from features.log.databases import engine_for
from features.log.records import VERSION, microseconds
from features.log.written import encode
from tests import worlds
from tests.log.test_golden import FILES, read
from tests.log.writing import RULES, event, in_a_file
from tests.worlds import NOW

pytestmark = in_a_file  # version 1 wrote files only

GOLDEN = [read(path) for path in FILES if path.parent.name == "v1"]
MIGRATIONS = Path(__file__).parents[2] / "features" / "log" / "migrations"


@pytest.fixture
def old(url: str, tmp_path: Path) -> str:
    """The URL of a log as version 1 left it: the golden records, with a gap, and a state without times."""
    engine, config = engine_for(url), Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    other = sqlite3.connect(tmp_path / "log.db")
    other.executemany(
        "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [row(2 * at, one) for at, one in enumerate(GOLDEN, start=1)]
    )
    state = encode(worlds.state(customer_id="1029", known=True, consents={"marketing": False}))
    other.execute("INSERT INTO customers VALUES ('1029', 7, ?)", (state,))
    other.commit()
    other.close()
    return url


def row(sequence: int, record: Record) -> tuple[object, ...]:
    times = (microseconds(record.event_time), microseconds(record.known_time))
    return (sequence, record.message_id, record.kind, record.version, record.customer_id, *times, record.payload)


def test_what_version_1_wrote_is_read_as_it_was_and_verifies(old: str, tmp_path: Path) -> None:
    log = Log(old, RULES)
    kept = list(log.read())
    assert [(one.sequence, one.version, one.message_id, one.customer_id, one.payload) for one in kept] == [
        (2 * at, 1, one.message_id, one.customer_id, one.payload) for at, one in enumerate(GOLDEN, start=1)
    ]
    assert [(one.event_time, one.known_time) for one in kept] == [(one.event_time, one.known_time) for one in GOLDEN]
    again = Log("sqlite://", RULES)
    again.append(GOLDEN)
    state, version = log.state("1029")
    assert (state, version) == (again.state("1029")[0], 8)
    again.close()
    # version 1 kept its offers itself, and none were in this file
    assert (log.verify().fault or "").startswith("the offers kept of decision")
    log.close()
    tables = sqlite3.connect(tmp_path / "log.db").execute("SELECT name FROM sqlite_master").fetchall()
    assert ("records_v1",) not in tables


def test_new_records_go_on_beside_the_anchor(old: str) -> None:
    log = Log(old, RULES)
    assert log.append([event("A", message_id="new"), GOLDEN[0]]) == [True, False]
    (new,) = log.read(after=2 * len(GOLDEN))
    assert (new.sequence, new.version, new.message_id) == (2 * len(GOLDEN) + 1, VERSION, "new")
    with sqlite3.connect(str(log._engine.url.database)) as other:
        assert other.execute("SELECT DISTINCT writer FROM records ORDER BY sequence").fetchall() == [(WRITER,), ("main",)]
    other.close()
    log.close()


def test_a_customer_of_version_1_is_erased_like_any_other(old: str, tmp_path: Path) -> None:
    log = Log(old, RULES)
    receipt = log.erase("1029", at=NOW)
    assert receipt is not None and receipt.records == sum(one.customer_id == "1029" for one in GOLDEN)
    assert log.verify().fault is None
    log.close()
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.name.startswith("log.db"))
    assert b"Ada" not in left


DIES = """
import os, sys
import features.log.adopt as adopting
from features.log import Log

adopting.folded_from = lambda *_: os._exit(9)  # all is sealed, nothing is committed
Log(sys.argv[1])
"""


def test_a_process_that_is_killed_while_it_takes_over_leaves_it_to_the_next(old: str) -> None:
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", DIES, old], cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, check=False)
    assert ended.returncode == 9
    log = Log(old, RULES)
    assert [one.message_id for one in log.read()] == [one.message_id for one in GOLDEN]
    log.close()
