"""Files into the log: good rows kept, bad rows told, nothing twice, whatever is interrupted."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisioning.customer import State
from decisioning.emotion import Signal
from features.facts import Reader
from features.ingest import BATCH_RECORDS, FileReport, ingest
from features.ingest_files import MAX_ROW_BYTES, IngestError
from features.ingest_segment import DEEPEST, SegmentReader
from features.log import Log, StateRules
from features.log.identity import link_of
from features.log.state import fold
from features.log.written import decode, encode
from features.quarantine import QuarantineBusy, Refused, quarantine
from features.workspace import Workspace
from tests.features import worlds

NOW = datetime(2018, 1, 1, 14, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
READER = Reader(worlds.spec())


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return worlds.workspace(tmp_path / "brand")


@pytest.fixture
def log(place: Workspace) -> Iterator[Log]:
    with worlds.log_of(place) as opened:
        yield opened


def message(at: int, **changes: Any) -> dict[str, Any]:
    told = {
        "type": "track",
        "event": "Order Completed",
        "messageId": f"m{at}",
        "userId": f"c{at % 3}",
        "timestamp": "2017-11-05T10:00:00Z",
        "properties": {"total": 9.5},
    }
    return {name: value for name, value in (told | changes).items() if value is not None}


def lines(*rows: Any) -> bytes:
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


def written(folder: Path, content: bytes, name: str = "events.ndjson") -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def taken(place: Workspace, log: Log, file: Path, now: datetime = NOW) -> FileReport:
    return ingest(place, log, [file], now=now).files[0]


def truth(log: Log) -> list[tuple[Any, ...]]:
    return [(one.sequence, one.message_id, one.event_time, one.known_time, one.payload) for one in log.read()]


def quarantined(report: FileReport) -> list[dict[str, Any]]:
    assert report.quarantine is not None
    return [json.loads(line) for line in Path(report.quarantine).read_text(encoding="utf-8").splitlines()]


# -------------------------------------------------------------------------------------------------------------- good rows


def test_a_visitor_with_the_longest_id_can_be_linked(place: Workspace, log: Log, tmp_path: Path) -> None:
    visitor = "x" * 200
    said = (
        message(1, userId=None, anonymousId=visitor),
        message(2, type="alias", userId="c1", previousId=f"anonymous:{visitor}"),
    )
    assert taken(place, log, written(tmp_path, lines(*said))).new == 2
    assert log.customer("c1").members == (f"anonymous:{visitor}", "c1")


def test_a_message_becomes_an_event_known_when_it_was_received(place: Workspace, log: Log, tmp_path: Path) -> None:
    file = written(tmp_path, lines(message(1, receivedAt="2017-11-05T12:00:00+01:00", anonymousId="a-1")))
    report = taken(place, log, file)
    (record,) = log.read()
    assert (report.rows, report.new, report.refused, report.quarantine) == (1, 1, {}, None)
    assert (record.kind, record.message_id, record.customer_id) == ("event", "m1", "c1")
    assert record.event_time == datetime(2017, 11, 5, 10, tzinfo=UTC)
    assert record.known_time == datetime(2017, 11, 5, 11, tzinfo=UTC)
    assert record.body["anonymousId"] == "a-1"


def test_a_message_that_says_not_when_it_was_received_is_taken_as_known_when_it_happened(
    place: Workspace, log: Log, tmp_path: Path
) -> None:
    report = taken(place, log, written(tmp_path, lines(message(1))))
    (record,) = log.read()
    assert record.known_time == record.event_time
    assert "assumed" in report.known


def test_messages_say_who_is_who(place: Workspace, log: Log, tmp_path: Path) -> None:
    rows = [
        message(1, userId=None, anonymousId="x"),
        message(2, type="identify", userId="c1", anonymousId="x", traits={"first_name": "Ada"}),
        message(3, type="alias", userId="c1", previousId="old"),
        message(4, type="alias", userId="c1", previousId="anonymous:y"),
        message(5, type="group", userId="c1", groupId="g"),
    ]
    report = taken(place, log, written(tmp_path, lines(*rows)))
    assert (report.rows, report.new, report.refused) == (5, 6, {})
    told = [(one.message_id, one.kind, one.customer_id) for one in log.read()]
    assert told == [
        ("m1", "event", "anonymous:x"),
        ("m2", "event", "c1"),
        ("m2:identity", "identity", "c1"),
        ("m3", "identity", "c1"),
        ("m4", "identity", "c1"),
        ("m5", "event", "c1"),
    ]
    assert log.customer("c1").members == ("anonymous:x", "anonymous:y", "c1", "old")
    again = taken(place, log, written(tmp_path, lines(*rows)))
    assert (again.new, again.already_there) == (0, 6)


def test_a_gzipped_file_and_a_plain_one_give_the_same_records(place: Workspace, log: Log, tmp_path: Path) -> None:
    content = lines(*map(message, range(5)))
    zipped = taken(place, log, written(tmp_path, gzip.compress(content), "events.jsonl.gz"))
    plain = taken(place, log, written(tmp_path, content))
    assert (zipped.new, zipped.already_there) == (5, 0)
    assert (plain.new, plain.already_there) == (0, 5)


def test_a_byte_order_mark_windows_line_ends_and_empty_lines_say_nothing(place: Workspace, log: Log, tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + lines(message(1), b"", message(2)).replace(b"\n", b"\r\n") + json.dumps(message(3)).encode()
    report = taken(place, log, written(tmp_path, content))
    assert (report.rows, report.new, report.refused) == (3, 3, {})


def test_a_second_run_adds_nothing_and_writes_the_same_quarantine(place: Workspace, log: Log, tmp_path: Path) -> None:
    file = written(tmp_path, lines(message(1), message(2, userId=None), b"{half", message(3)))
    first = taken(place, log, file)
    kept, told = truth(log), quarantined(first)
    second = taken(place, log, file)
    assert (second.new, second.already_there, second.refused) == (0, 2, first.refused)
    assert (truth(log), quarantined(second), second.quarantine) == (kept, told, first.quarantine)


def test_a_file_longer_than_a_batch_is_taken_in_whole_and_in_order(place: Workspace, log: Log, tmp_path: Path) -> None:
    many = 2 * BATCH_RECORDS + 7
    shares: list[float] = []
    file = written(tmp_path, lines(*map(message, range(many))))
    ingest(place, log, [file], now=NOW, progress=lambda _, share: shares.append(share))
    assert [record.message_id for record in log.read()] == [f"m{at}" for at in range(many)]
    assert shares == sorted(shares) and shares[-1] == 1.0 and any(0 < share < 1 for share in shares)


# --------------------------------------------------------------------------------------------------------------- bad rows


BAD = {
    "half a line": (b'{"type": "track", "mess', "not_json"),
    "a list": (b"[1, 2]", "not_json"),
    "a number that is none": (b'{"type": "track", "properties": {"total": NaN}}', "not_json"),
    "half a surrogate": (b'{"type": "track", "event": "\\ud800"}', "not_json"),
    "bytes that are not UTF-8": (b'{"type": "track", "event": "caf\xe9"}', "not_utf8"),
    "an unknown type": (message(1, type="delete"), "unknown_kind"),
    "a track without an event": (message(1, event=None), "unknown_kind"),
    "an event that is no name": (message(1, event=["x"]), "wrong_type"),
    "properties that are a list": (message(1, properties=[1]), "wrong_type"),
    "traits that are text": (message(1, type="identify", traits="x"), "wrong_type"),
    "a customer that is a number": (message(1, userId=7), "wrong_type"),
    "a customer with a control character": (message(1, userId="a\nb"), "wrong_type"),
    "a customer of 201 characters": (message(1, userId="x" * 201), "wrong_type"),
    "no customer": (message(1, userId=None), "no_customer"),
    "an empty customer": (message(1, userId=""), "no_customer"),
    "neither customer nor visitor": (message(1, userId=None, anonymousId=""), "no_customer"),
    "a customer who reads like a visitor": (message(1, userId="anonymous:x"), "wrong_type"),
    "a visitor with the log's own prefix": (message(1, anonymousId="anonymous:x"), "wrong_type"),
    "an alias of a visitor without a name": (message(1, type="alias", previousId="anonymous:"), "wrong_type"),
    "an alias of a visitor of 201 characters": (message(1, type="alias", previousId="anonymous:" + "x" * 201), "wrong_type"),
    "an alias of a customer of 201 characters": (message(1, type="alias", previousId="x" * 201), "wrong_type"),
    "a message id of a link": (message(1, messageId="m0:identity"), "wrong_type"),
    "a visitor that is a number": (message(1, userId=None, anonymousId=7), "wrong_type"),
    "an alias of nobody": (message(1, type="alias"), "no_customer"),
    "an alias to nobody": (message(1, type="alias", userId=None, previousId="old"), "no_customer"),
    "an alias to a visitor": (message(1, type="alias", userId="anonymous:x", previousId="old"), "wrong_type"),
    "no message id": (message(1, messageId=None), "no_message_id"),
    "no time": (message(1, timestamp=None), "no_time"),
    "a time without an offset": (message(1, timestamp="2017-11-05T10:00:00"), "wrong_type"),
    "a time that is none": (message(1, timestamp="2017-02-30T10:00:00Z"), "wrong_type"),
    "a time that is a number": (message(1, timestamp=1_500_000_000), "wrong_type"),
    "the year 1900": (message(1, timestamp="1900-01-01T00:00:00Z"), "absurd_time"),
    "the year 2200": (message(1, timestamp="2200-01-01T00:00:00Z"), "absurd_time"),
    "the end of the calendar": (message(1, timestamp="9999-12-31T23:59:59-12:00"), "absurd_time"),
    "received in 2200": (message(1, receivedAt="2200-01-01T00:00:00Z"), "absurd_time"),
    "a very long row": (message(1, properties={"note": "x" * MAX_ROW_BYTES}), "oversized"),
    "a very deep row": (b'{"type": "track", "a": ' + b"[" * DEEPEST + b"]" * DEEPEST + b"}", "oversized"),
    "a row deeper than the stack": (b"[" * 100_000, "not_json"),
}


@pytest.mark.parametrize(("row", "reason"), BAD.values(), ids=BAD.keys())
def test_a_bad_row_is_quarantined_with_file_line_and_reason_and_its_neighbours_are_kept(
    row: Any, reason: str, place: Workspace, log: Log, tmp_path: Path
) -> None:
    report = taken(place, log, written(tmp_path, lines(message(0), row, message(2))))
    assert (report.rows, report.new, report.refused) == (3, 2, {reason: 1})
    (told,) = quarantined(report)
    assert (told["file"], told["line"], told["reason"]) == ("events.ndjson", 2, reason)
    assert told["detail"]
    raw = row if isinstance(row, bytes) else json.dumps(row).encode()
    assert raw.decode("utf-8", "backslashreplace").startswith(told["row"])
    assert [record.message_id for record in log.read()] == ["m0", "m2"]


def test_a_time_up_to_five_minutes_ahead_is_a_clock_and_no_fault(place: Workspace, log: Log, tmp_path: Path) -> None:
    ahead = [(NOW + timedelta(minutes=5, microseconds=micro)).isoformat() for micro in (0, 1)]
    report = taken(place, log, written(tmp_path, lines(*(message(at, timestamp=one) for at, one in enumerate(ahead)))))
    assert (report.new, report.refused) == (1, {"absurd_time": 1})


def test_the_report_says_counts_reasons_and_where_the_bad_rows_are(place: Workspace, log: Log, tmp_path: Path) -> None:
    file = written(tmp_path, lines(message(1), b"{", b"{", message(2, userId=None)))
    report = ingest(place, log, [file], now=NOW)
    told = "\n".join(report.lines())
    assert "4 rows, 1 records new, 0 already there" in told
    assert "3 rows refused (1 no_customer, 2 not_json), see " in told


def test_a_mended_file_is_taken_in_and_leaves_no_quarantine_of_its_own(place: Workspace, log: Log, tmp_path: Path) -> None:
    taken(place, log, written(tmp_path, lines(message(1), message(2, userId=None))))
    mended = taken(place, log, written(tmp_path, lines(message(1), message(2))))
    assert (mended.new, mended.already_there, mended.quarantine) == (1, 1, None)


def test_a_row_refused_for_its_time_is_taken_in_once_its_time_has_come(place: Workspace, log: Log, tmp_path: Path) -> None:
    file = written(tmp_path, lines(message(1, timestamp="2018-01-02T00:00:00Z")))
    refused = taken(place, log, file)
    assert refused.quarantine is not None
    assert taken(place, log, file, now=NOW + timedelta(days=1)).new == 1
    assert not Path(refused.quarantine).exists()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just(10**300),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=6), inside, max_size=3),
    max_leaves=8,
)
FIELDS = {
    "type": st.sampled_from(["track", "identify", "page", "alias"]) | JSON,
    "event": st.sampled_from(["Order Completed", "Satisfaction Rated"]) | JSON,
    "userId": st.just("c1") | JSON,
    "anonymousId": st.just("x") | JSON,
    "previousId": st.sampled_from(["old", "anonymous:y"]) | JSON,
    "messageId": st.just("m1") | JSON,
    "timestamp": st.just("2017-11-05T10:00:00Z") | JSON,
    "properties": st.dictionaries(st.sampled_from(["total", "rating", "products", "complaint_id"]), JSON) | JSON,
    "traits": st.dictionaries(st.sampled_from(["locale", "time_zone", "age"]), JSON) | JSON,
}
SIGNALS = {"Satisfaction Rated": Signal(rating="rating"), "Order Completed": Signal(complaint="opened")}


@given(st.fixed_dictionaries({}, optional=FIELDS))
@settings(max_examples=600)
def test_whatever_a_line_says_it_is_a_record_that_every_reader_of_the_log_can_read_or_it_is_refused(said: Any) -> None:
    with suppress(Refused):
        for record in SegmentReader(NOW).records(json.dumps(said).encode()):
            state = fold(State(customer_id="c1"), record, StateRules(signals=SIGNALS))
            assert decode(encode(state)) == state
            if record.kind == "identity":
                assert link_of(record).target == record.customer_id
                continue
            batch = READER.read(kinds=["event"], customers=["c1"], event_us=[0], known_us=[0], payloads=[record.payload])
            assert batch.unreadable == 0


@given(st.binary(max_size=60))
def test_whatever_bytes_a_line_holds_they_are_refused_and_never_an_error(line: bytes) -> None:
    with pytest.raises(Refused):
        SegmentReader(NOW).records(line)


# -------------------------------------------------------------------------------------------------------------- bad files


def test_every_fault_of_every_file_is_told_before_anything_is_appended(place: Workspace, log: Log, tmp_path: Path) -> None:
    good = written(tmp_path, lines(message(1)))
    files = [good, written(tmp_path, b"", "empty.ndjson"), tmp_path / "absent.ndjson", written(tmp_path, b"x", "notes.txt")]
    files += [tmp_path, written(tmp_path, b"a,b\n", "table.csv")]
    with pytest.raises(IngestError) as error:
        ingest(place, log, files, now=NOW)
    told = str(error.value).splitlines()
    causes = ("is empty", "no such file", "not told by its name", "no such file", "need a mapping")
    assert all(cause in line for cause, line in zip(causes, told, strict=True))
    assert log.last_sequence() == 0


@pytest.mark.parametrize("fault", ["cut short", "damaged", "not gzipped"])
def test_damaged_compressed_data_say_so_and_the_whole_file_completes_them(
    fault: str, place: Workspace, log: Log, tmp_path: Path
) -> None:
    content = lines(*(message(at, note=str(at * 7919)) for at in range(20_000)))
    whole = gzip.compress(content)
    middle = len(whole) // 2
    bad = {"cut short": whole[:middle], "damaged": whole[:middle] + b"?" * 99 + whole[middle + 99 :], "not gzipped": content}
    with pytest.raises(IngestError, match="compressed data"):
        taken(place, log, written(tmp_path, bad[fault], "events.ndjson.gz"))
    before = log.last_sequence()
    report = taken(place, log, written(tmp_path, whole, "events.ndjson.gz"))
    assert (report.new, report.already_there) == (20_000 - before, before)
    assert list((place.data / "quarantine").iterdir()) == []


def test_two_runs_of_one_file_at_once_are_refused(tmp_path: Path) -> None:
    target = tmp_path / "quarantine" / "a.ndjson"
    with quarantine(target, file="a"), pytest.raises(QuarantineBusy, match="another process"), quarantine(target, file="a"):
        raise AssertionError("the second one began")


# ------------------------------------------------------------------------------------------------------------ interrupted


def test_killed_at_any_moment_and_run_again_it_gives_the_log_of_one_run(tmp_path: Path) -> None:
    rows = [message(at) if at % 50 else message(at, userId=None) for at in range(9_000)]
    file = written(tmp_path, lines(*rows))
    whole = worlds.workspace(tmp_path / "whole")
    with worlds.log_of(whole) as log:
        expected = taken(whole, log, file)
        told = (truth(log), quarantined(expected))

    killed = worlds.workspace(tmp_path / "killed")
    with worlds.log_of(killed) as log:
        command = [sys.executable, "kairos.py", "ingest", str(file), "-w", str(killed.path)]
        for least in (1, 2 * BATCH_RECORDS):
            run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while run.poll() is None and log.last_sequence() < least:
                time.sleep(0.002)
            os.kill(run.pid, signal.SIGKILL)
            run.wait()
        last = subprocess.run([*command, "--json"], cwd=ROOT, check=True, capture_output=True)
        assert json.loads(last.stdout)["files"][0]["rows"] == len(rows)
        report = taken(killed, log, file)
        assert (truth(log), quarantined(report)) == told
        assert report.new == 0
    assert [one.name for one in (killed.data / "quarantine").iterdir()] == [Path(str(report.quarantine)).name]
