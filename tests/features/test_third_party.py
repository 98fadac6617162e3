import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from features import offline
from features.builds import BuildReport, FeatureStoreError
from features.log import Record
from features.packed import PackedStore
from features.workspace import Workspace
from tests.features.worlds import DAY, OTHERS, PROFILE, START, consent, identify, labels, log_of, order, workspace

NOON = timedelta(hours=12)
ROWS = """    file: households.csv
    key: household
    known_at: known
    effective_from: effective
"""
ONE_FILE = "    file: households.csv\n    key: household\n    known_at: 2017-02-01\n"


def _day(month: int, day: int = 1) -> datetime:
    return datetime(2017, month, day, 17, tzinfo=UTC)


def _build(
    folder: Path, profile: str, files: dict[str, str], records: list[Record] | None = None
) -> tuple[Workspace, BuildReport]:
    assert profile != PROFILE
    where = workspace(folder, profile=profile, households=None)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    with log_of(where, records or [order("a", "c0", START), order("b", "c1", START + 300 * DAY)]) as log:
        return where, offline.build(where, log)


def _members(where: Workspace, *moments: datetime, who: str = "c0") -> list[Any]:
    return offline.training_frame(where, labels([who], *moments), ["members"])["members"].to_list()


def test_each_row_has_its_own_dates_and_counts_from_the_later_one(tmp_path: Path) -> None:
    rows = "household,age,size,known,effective\nc0,19-24,1,2017-02-01,2017-02-01\nc0,,2,2017-03-01,2017-06-01\nc0,,9,soon,\n"
    where, report = _build(tmp_path, PROFILE.replace(ONE_FILE, ROWS), {"households.csv": rows})
    assert _members(where, _day(1), _day(2), _day(5), _day(6)) == [None, 1.0, 1.0, 2.0]
    # a row that says nothing of a column leaves what was said before
    frame = offline.training_frame(where, labels(["c0"], _day(7)), ["age_band"])
    assert frame["age_band"].to_list() == [0.0]
    assert (report.tables[2].rows, report.tables[2].undated) == (2, 1)
    assert "features  households: left out 1 rows without a date" in report.lines()


def _two(conflicts: str) -> str:
    return PROFILE.replace(
        ONE_FILE, f"{ONE_FILE}    conflicts: {conflicts}\n    files: [{{file: bureau.csv, known_at: 2017-05-01}}]\n"
    )


@pytest.mark.parametrize(("conflicts", "members"), [("newest", [2.0, 7.0]), ("order", [2.0, 2.0])])
def test_of_two_files_the_one_known_last_or_listed_first_counts(tmp_path: Path, conflicts: str, members: list[float]) -> None:
    files = {"households.csv": "household,age,size\nc0,19-24,2\n", "bureau.csv": "household,size\nc0,7\nc1,8\n"}
    where, report = _build(tmp_path, _two(conflicts), files)
    assert _members(where, _day(4), _day(6)) == members
    assert _members(where, _day(4), _day(6), who="c1") == [None, 8.0]
    found = report.tables[2]
    assert found.conflicts == {"members": 1}
    assert found.matched == {"households.csv": 0.5, "bureau.csv": 1.0, "age_band": 0.5, "members": 1.0}
    assert "features  households.members: of 1 customers two files say different things" in report.lines()


def test_a_column_that_no_file_has_is_refused(tmp_path: Path) -> None:
    files = {"households.csv": "household,size\nc0,2\n", "bureau.csv": "household,size\nc0,7\n"}
    with pytest.raises(FeatureStoreError, match="no column age"):
        _build(tmp_path, _two("newest"), files)


def test_a_key_may_be_the_hash_of_a_trait_from_when_it_was_told(tmp_path: Path) -> None:
    hashed = hashlib.sha256(b"ada@example.org").hexdigest()
    profile = PROFILE.replace(ONE_FILE, f"{ONE_FILE}    match: {{trait: email, hash: sha256}}\n")
    records = [
        order("a", "c0", START),
        identify("b", "c0", _day(3), email=" Ada@Example.org"),
        identify("c", "c0", _day(4), locale="en-GB"),
        identify("d", "c0", _day(6), email="new@example.org"),
        order("e", "c0", _day(10)),
    ]
    where, report = _build(tmp_path, profile, {"households.csv": f"household,age,size\n{hashed},19-24,2\nc0,,5\n"}, records)
    assert _members(where, _day(2, 20), _day(3), _day(5), _day(6) + timedelta(microseconds=1)) == [None, None, 2.0, None]
    assert report.tables[2].match_rate == 1.0


def test_an_expired_column_is_in_no_table_and_the_report_says_so(tmp_path: Path) -> None:
    profile = PROFILE.replace("members: {column: size}", "members: {column: size, expires: 2017-06-01, licence: bureau}")
    files = {"households.csv": "household,age,size\nc0,19-24,2\n"}
    where, report = _build(tmp_path / "over", profile, files)
    assert report.tables[2].expired == ("members",)
    assert "features  households.members: left out, its licence is over" in report.lines()
    assert _members(where, _day(3), _day(7)) == [None, None]
    # while it runs the column is there up to its day, in frames and in the store
    where, report = _build(tmp_path / "runs", profile, files, [order("a", "c0", START)])
    assert report.tables[2].expired == () and _members(where, _day(3), _day(7)) == [2.0, None]
    with log_of(where) as log:
        offline.materialize(where, log)
    store = PackedStore(where.data / offline.ONLINE, where.profile)
    assert [store.read("c0", at).get("members") for at in (_day(3), _day(7))] == [2.0, None]
    store.close()


def test_what_a_customer_did_not_agree_to_is_in_no_frame_of_that_moment(tmp_path: Path) -> None:
    records = [
        order("a", "c0", START),
        consent("no", "c0", _day(3), purpose="third_party", granted=False),
        consent("yes", "c0", _day(5), purpose="third_party", granted=True),
        consent("no more", "c0", _day(7), purpose="third_party", granted=False),
    ]
    where = workspace(tmp_path)
    with log_of(where, records) as log:
        report = offline.build(where, log)
    moments = [_day(2, 20), _day(3), _day(3) + timedelta(microseconds=1), _day(6), _day(8)]
    frame = offline.training_frame(where, labels(["c0"], *moments), ["members", "points"])
    assert frame["members"].to_list() == [3.0, 3.0, None, 3.0, None]
    assert frame["points"].null_count() == 0
    assert report.refused == {"third_party": 1}
    assert "features  third_party: withheld of 1 customers who do not agree" in report.lines()


def test_a_purpose_that_is_not_agreed_to_by_default_needs_a_word(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    brand = OTHERS["brand.yaml"].replace("third_party: {default: true", "third_party: {default: false")
    (tmp_path / "brand.yaml").write_text(brand)
    where = Workspace.load(tmp_path)
    with log_of(where, [order("a", "c0", START), consent("yes", "c0", _day(5), purpose="third_party", granted=True)]) as log:
        offline.build(where, log)
    assert _members(where, _day(4), _day(6)) == [None, 3.0]
    assert _members(where, _day(6), who="c1") == [None]


def test_the_store_serves_the_row_in_force_and_not_the_one_to_come(tmp_path: Path) -> None:
    rows = "household,age,size,known,effective\nc0,,1,2017-02-01,2017-02-01\nc0,,2,2017-03-01,2018-06-01\n"
    rows += "c1,,3,2017-03-01,2018-06-01\n"
    where, _ = _build(tmp_path, PROFILE.replace(ONE_FILE, ROWS), {"households.csv": rows})
    with log_of(where) as log:
        offline.materialize(where, log)
    store = PackedStore(where.data / offline.ONLINE, where.profile)
    at, later = _day(12), datetime(2018, 7, 1, tzinfo=UTC)
    assert [store.read(who, at).get("members") for who in ("c0", "c1")] == [1.0, None]
    assert store.read("c1", later).get("members") == 3.0
    store.close()


@pytest.mark.parametrize("conflicts", ["newest", "order"])
def test_any_files_give_what_a_slow_reading_of_them_gives(tmp_path: Path, conflicts: str) -> None:
    random = np.random.default_rng(5)
    rows = [
        [
            (f"c{random.integers(4)}", _midnight(random), _midnight(random), None if random.random() < 0.3 else float(size))
            for size in range(20)
        ]
        for _ in range(2)
    ]
    files = {
        name: "household,age,size,known,effective\n"
        + "".join(
            f"{who},,{'' if size is None else size},{known:%Y-%m-%d},{effective:%Y-%m-%d}\n"
            for who, known, effective, size in part
        )
        for name, part in zip(("households.csv", "bureau.csv"), rows, strict=True)
    }
    more = "    files: [{file: bureau.csv, known_at: known, effective_from: effective}]\n"
    where, _ = _build(tmp_path, PROFILE.replace(ONE_FILE, f"{ROWS}    conflicts: {conflicts}\n{more}"), files)
    moments = [_day(month, 3) for month in range(1, 13)]
    frame = offline.training_frame(where, labels(["c0", "c1", "c2", "c3"], *moments), ["members"])
    expected = []
    for who, at in frame.select("customer_id", "at").iter_rows():
        said = []
        for file, part in enumerate(rows):
            last = {(one, max(known, effective)): (known, size) for one, known, effective, size in part}
            in_force = [(known, size) for (one, day), (known, size) in last.items() if one == who and day < at]
            said += [(known, file, size) for known, size in in_force if size is not None]
        best = (lambda one: (one[0], -one[1])) if conflicts == "newest" else (lambda one: (-one[1], one[0]))
        ranked = sorted(said, key=best)
        expected.append(ranked[-1][2] if ranked else None)
    assert frame["members"].to_list() == expected
    assert pl.Series(expected).n_unique() > 5


def _midnight(random: np.random.Generator) -> datetime:
    return datetime(2017, 1, 1, 5, tzinfo=UTC) + timedelta(days=int(random.permutation(300)[0]))
