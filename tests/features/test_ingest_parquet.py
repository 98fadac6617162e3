"""Parquet files: the same records as CSV, exact times, and one bad cell spoils one row."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from features.ingest_files import IngestError
from features.log import Log
from features.workspace import Workspace
from tests.features import exports, worlds
from tests.features.exports import sales, table, written


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return exports.brand(tmp_path / "brand")


@pytest.fixture
def log(place: Workspace) -> Iterator[Log]:
    with worlds.log_of(place) as opened:
        yield opened


def test_parquet_and_csv_of_the_same_rows_give_the_same_records(place: Workspace, log: Log, tmp_path: Path) -> None:
    file = table(tmp_path, who=["c1", "c2"], at=["2017-11-05", "2017-11-06"], id=["s1", "s2"], total=[1.5, 2.0], more=[1, 2])
    report = sales(place, log, file)
    assert (report.new, report.unused) == (2, ("more",))
    again = sales(place, log, written(tmp_path, "who,at,id,total\nc1,2017-11-05,s1,1.5\nc2,2017-11-06,s2,2\n"))
    assert (again.new, again.already_there) == (0, 2)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_times_are_exact_and_an_impossible_one_spoils_its_own_row_only(
    unit: str, place: Workspace, log: Log, tmp_path: Path
) -> None:
    second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    absurd = 2**50 if unit == "s" else 2**62
    times = pa.array([1509876000 * second, absurd, -absurd, None], pa.timestamp(unit, "UTC"))
    report = sales(place, log, table(tmp_path, who=["c1"] * 4, at=times, id=list("abcd"), total=[1, 2, 3, 4]))
    assert report.new == 1
    assert sum(report.refused.values()) == 3
    assert [one.event_time for one in log.read()] == [datetime(2017, 11, 5, 10, tzinfo=UTC)]


def test_a_parquet_time_without_a_zone_is_local_and_a_date_is_its_first_moment(
    place: Workspace, log: Log, tmp_path: Path
) -> None:
    day = datetime(2017, 11, 5)  # noqa: DTZ001
    naive = pa.array([day + timedelta(hours=12)], pa.timestamp("us"))
    sales(place, log, table(tmp_path, who=["c1"], at=naive, id=["a"], total=[1]))
    sales(
        place, log, table(tmp_path, who=["c1", "c1"], at=pa.array([17475, 2**31 - 1], pa.date32()), id=["b", "c"], total=[1, 1])
    )
    assert [one.event_time.hour for one in log.read()] == [17, 4]


def test_a_parquet_cell_that_is_no_text_spoils_its_own_row_only(place: Workspace, log: Log, tmp_path: Path) -> None:
    bad = pa.Array.from_buffers(pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0\4\0\0\0"), pa.py_buffer(b"c1\xff\xfe")])
    report = sales(place, log, table(tmp_path, who=bad, at=["2017-11-05"] * 2, id=["a", "b"], total=[1, 2]))
    assert (report.new, report.refused) == (1, {"wrong_type": 1})


@pytest.mark.parametrize("fault", ["half", "empty", "text", "twice", "gone"])
def test_a_parquet_that_does_not_fit_stops_the_run_before_it_begins(
    fault: str, place: Workspace, log: Log, tmp_path: Path
) -> None:
    columns = {"who": ["c1"], "at": ["2017-11-05"], "id": ["a"], "total": [1.0]}
    file = table(tmp_path, **columns)
    causes = {"half": "half-written", "empty": "is empty", "text": "no Parquet", "twice": "2 times", "gone": "is missing"}
    if fault == "half":
        os.truncate(file, file.stat().st_size // 2)
    elif fault in ("empty", "text"):
        file.write_bytes(b"" if fault == "empty" else b"who,at\n")
    elif fault == "twice":
        parquet.write_table(pa.table([[1], [2]], names=["who", "who"]), file)
    else:
        table(tmp_path, **{name: column for name, column in columns.items() if name != "total"})
    with pytest.raises(IngestError, match=causes[fault]):
        sales(place, log, file)
    assert log.last_sequence() == 0


def test_a_parquet_damaged_on_the_way_says_how_far_it_was_read(place: Workspace, log: Log, tmp_path: Path) -> None:
    many = 30_000
    columns = {"who": [f"c{at}" for at in range(many)], "id": [f"s{at}" for at in range(many)]}
    file = tmp_path / "sales.parquet"
    whole = pa.table({**columns, "at": ["2017-11-05"] * many, "total": [1.0] * many})
    parquet.write_table(whole, file, row_group_size=10_000, compression="gzip")
    content = bytearray(file.read_bytes())
    middle = int(len(content) * 0.55)
    content[middle : middle + 4_000] = b"\xaa" * 4_000
    file.write_bytes(content)
    with pytest.raises(IngestError, match="damaged after row"):
        sales(place, log, file)
    before = log.last_sequence()
    parquet.write_table(whole, file)
    report = sales(place, log, file)
    assert (report.new, report.already_there) == (many - before, before)
