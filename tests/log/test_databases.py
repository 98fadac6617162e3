"""Where a log may lie, and what must hold there: durable, refused with the cure, and back when its server is."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from decisioning.errors import KairosError
from features.log import Log, LogUnavailable
from features.log.databases import engine_for
from features.log.keys import FILE, VARIABLE, KeyFault
from tests import postgres_server
from tests.log.writing import RULES, decision, event, in_a_file, tamper
from tests.worlds import NOW


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("mysql://somebody:secret@example.org/log", "a log in mysql is not supported; use sqlite:///"),
        ("mysql://example.org/log?password=secret&user=somebody", "a log in mysql is not supported"),
        ("sqlite://somebody:secret@example.org/log", "none of sqlite; write sqlite:///"),
        ("secret", "is none; write sqlite:///"),
        ("postgresql://somebody:secret@127.0.0.1:1/log", "the log cannot be used: .*refused"),
    ],
)
def test_an_address_where_no_log_can_be_is_refused_and_no_password_is_shown(url: str, cause: str) -> None:
    with pytest.raises(KairosError, match=cause) as error:
        Log(url)
    assert "secret" not in str(error.value)


def asked(url: str, question: str) -> str:
    """What a new session of the log's own says."""
    engine = engine_for(url)
    with engine.connect() as connection:
        told = str(connection.exec_driver_sql(question).scalar_one())
    engine.dispose()
    return told


@in_a_file
def test_a_commit_to_a_file_is_on_disk_when_it_returns(log: Log, url: str) -> None:
    assert asked(url, "PRAGMA journal_mode") == "wal"
    assert asked(url, "PRAGMA synchronous") == "2"  # FULL


@pytest.mark.parametrize(
    ("database", "session"), [("on", "on"), ("off", "on"), ("local", "on"), ("remote_write", "on"), ("remote_apply",) * 2]
)
def test_a_commit_to_a_server_is_on_disk_when_it_returns(database: str, session: str, empty: str) -> None:
    assert asked(f"{empty} -csynchronous_commit%3D{database}", "SHOW synchronous_commit") == session


def test_a_server_that_may_lose_what_it_committed_is_refused(postgres: postgres_server.Server, empty: str) -> None:
    def say(fsync: str) -> None:
        postgres.run(f"ALTER SYSTEM SET fsync = {fsync}")
        postgres.run("SELECT pg_reload_conf()")
        while postgres.run("SHOW fsync") != [(fsync,)]:
            time.sleep(0.01)

    say("off")
    try:
        with pytest.raises(KairosError, match="fsync = off"):
            Log(empty)
    finally:
        say("on")
    Log(empty).close()


def test_a_database_in_another_encoding_is_refused(postgres: postgres_server.Server) -> None:
    postgres.run("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    with pytest.raises(KairosError, match="LATIN1; create one with ENCODING 'UTF8'"):
        Log(postgres.url + "latin")


def test_a_server_that_only_reads_is_an_unavailable_log(empty: str) -> None:
    Log(empty).close()
    with pytest.raises(LogUnavailable, match="read-only"):
        Log(f"{empty} -cdefault_transaction_read_only%3Don")


# -------------------------------------------------------------------------------------------------------- the master key


def test_a_log_on_a_server_keeps_its_master_key_in_the_folder_it_is_given(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    first = Log(empty, RULES, folder=tmp_path / "data")
    first.append([event("A")])
    first.close()
    assert [file.name for file in (tmp_path / "data").iterdir()] == [FILE]
    again = Log(empty, folder=tmp_path / "data")
    assert [record.body["event"] for record in again.read()] == ["A"]
    again.close()
    with pytest.raises(KeyFault, match="restore the file or set"):
        Log(empty, folder=tmp_path / "elsewhere")
    with pytest.raises(KeyFault, match=f"needs a folder for its master key, or {VARIABLE}"):
        Log(empty)


# ------------------------------------------------------------------------------------------------------------- the server


@pytest.fixture
def own() -> Iterator[postgres_server.Server]:
    """A server that a test may stop."""
    with postgres_server.running() as server:
        yield server


def test_a_log_whose_server_is_gone_is_unavailable_and_comes_back_with_it(own: postgres_server.Server, tmp_path: Path) -> None:
    log = Log(own.url + "postgres", RULES, folder=tmp_path)
    log.append([event("A", message_id="before")])
    own.stop()
    for _ in range(2):
        with pytest.raises(LogUnavailable):
            log.append([event("A", message_id="while it was gone")])
        with pytest.raises(LogUnavailable):
            log.state("1029")
    own.start()
    assert log.append([event("A", message_id="after")]) == [True]
    assert [record.message_id for record in log.read()] == ["before", "after"]
    log.close()


def test_an_erasure_on_a_server_frees_what_was_deleted_and_says_what_remains(empty: str) -> None:
    server = Log(empty, RULES)
    server.append([event("Complaint Opened")])
    assert asked(empty, "SELECT pg_relation_size('customers') > 0") == "True"
    receipt = server.erase("1029", at=NOW)
    assert receipt is not None and "write-ahead log" in receipt.remains
    # nobody is left: the table has given its pages back
    assert asked(empty, "SELECT pg_relation_size('customers') + pg_relation_size('keys')") == "0"
    assert "write-ahead log" in (server.latest("erasure") or event("")).body["remains"]
    server.close()


# ------------------------------------------------------------------------------------------------------------- in its order

WRITES = """
import sys
from features.log import Log
from tests.log.writing import RULES, event

log = Log(sys.argv[1], RULES)
for at in range(30):
    log.append([event("A", message_id=f"{sys.argv[2]}-{at}-{one}", customer=f"c{at % 7}") for one in range(at % 3 + 1)])
"""


def test_a_reader_that_follows_several_processes_misses_no_record(log: Log, url: str) -> None:
    """A record with a smaller sequence never appears after a greater one was read."""
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    writers = [subprocess.Popen([sys.executable, "-c", WRITES, url, name], cwd=root, env=environment) for name in "abc"]
    seen: list[int] = []
    try:
        while any(writer.poll() is None for writer in writers):
            seen += [record.sequence for record in log.read(after=seen[-1] if seen else 0)]
    finally:
        assert [writer.wait() for writer in writers] == [0, 0, 0]
    seen += [record.sequence for record in log.read(after=seen[-1] if seen else 0)]
    assert seen == list(range(1, 181))
    assert log.verify().fault is None


def test_text_that_a_language_sorts_in_its_own_way_is_whole_on_either(log: Log, url: str) -> None:
    log.append([decision(decision_id=name) for name in ("b", "B", "a", "_", "é", "Z")])
    assert log.verify().fault is None
    tamper(url, "UPDATE offers SET expires_us = 1 WHERE decision_id = 'a'")
    assert log.verify().fault == "the offers kept of decision a are not those that it put out"
