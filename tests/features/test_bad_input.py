"""What bad input gets at every door but `kairos ingest` (see test_ingest*): a clear error that names it, or a count."""

import io
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from decisioning.errors import KairosError
from features import builds, offline
from features.builds import FeatureStoreError, TableReport
from features.packed import PackedStore
from features.stores import StoreError
from features.workspace import Workspace
from features.yaml_nodes import WorkspaceError
from tests.features.worlds import DAY, PROFILE, START, labels, log_of, order, workspace, year

DATED = PROFILE.replace("known_at: 2017-02-01", "known_at: known")
HEAD = "household,age,size\n"
UTC_TIMES = pl.Datetime("us", "UTC")

# ------------------------------------------------------------------------------------------------------ third-party files


def built(folder: Path, content: bytes, *, file: str = "households.csv", profile: str = PROFILE) -> TableReport:
    """What becomes of the file's view."""
    where = workspace(folder, profile=profile.replace("households.csv", file), households=None)
    (folder / file).write_bytes(content)
    with log_of(where, [order("a", "c0", START + 200 * DAY)]) as log:
        return offline.build(where, log).tables[2]


def parquet(**columns: Any) -> bytes:
    whole = io.BytesIO()
    pl.DataFrame({"household": ["c0"], "age": ["19-24"], "size": [1]} | columns).write_parquet(whole)
    return whole.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "cannot be read .empty CSV.", id="an empty file"),
        pytest.param(f"{HEAD}c0,19-24,1,2\n".encode(), "more fields", id="a row too long"),
        pytest.param(f"{HEAD}c\xe9,19-24,1\n".encode("latin-1"), "utf-8", id="another encoding"),
        pytest.param(f'{HEAD}c0,"19-24,1\n'.encode(), "cannot be read", id="an open quote"),
        pytest.param(b"household,age,size,size\nc0,19-24,1,2\n", "column size is written twice", id="a column twice"),
        pytest.param(b"household,household,age,size\nc0,x,1,2\n", "column household is written twice", id="the key twice"),
        pytest.param(b"household,age\nc0,19-24\n", "no column size; it has household, age", id="a column that went"),
    ],
)
def test_a_csv_that_is_unfit_stops_the_build_and_names_the_file(content: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(FeatureStoreError, match=f"households.csv: .*{says}"):
        built(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "cannot be read", id="an empty file"),
        pytest.param(parquet()[:200], "cannot be read", id="half-written"),
        pytest.param(parquet(household=[["c0"]]), r"column household holds List\(String\), expected text", id="a list as key"),
        pytest.param(parquet(age=[{"from": 19}]), "column age holds Struct.*expected text", id="a struct as label"),
        pytest.param(parquet(size=[[1]]), r"column size holds List\(Int64\), expected numbers", id="a list as number"),
        pytest.param(parquet(size=[START]), "column size holds Datetime.*expected numbers", id="a date as number"),
    ],
)
def test_a_parquet_that_is_unfit_stops_the_build_and_names_the_file(content: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(FeatureStoreError, match=f"households.parquet: .*{says}"):
        built(tmp_path, content, file="households.parquet")


def test_a_number_is_no_date_and_a_list_is_none(tmp_path: Path) -> None:
    for known in (20170201, [START]):
        with pytest.raises(FeatureStoreError, match=r"households\.parquet: column known holds .*, expected dates"):
            built(tmp_path, parquet(known=[known]), file="households.parquet", profile=DATED)


def test_rows_of_absurd_dates_are_left_out_and_counted(tmp_path: Path) -> None:
    days = ("1900-01-01", "2200-01-01", "2017-02-30", "9999-12-31", "0001-01-01", "soon", "2017-03-01")
    rows = "".join(f"c{at},19-24,1,{day}\n" for at, day in enumerate(days))
    table = built(tmp_path, f"household,age,size,known\n{rows}".encode(), profile=DATED)
    assert (table.records, table.rows, table.undated) == (7, 1, 6)


def test_values_of_the_wrong_type_are_missing_and_counted(tmp_path: Path) -> None:
    table = built(tmp_path, f"{HEAD}c0,nineteen,many\nc1,19-24,1e999\nc2,19-24,2\n".encode())
    assert (table.rows, table.unknown) == (3, {"age_band": 1, "members": 2})


def test_ids_that_were_written_as_floats_are_those_they_were(tmp_path: Path) -> None:
    where = workspace(tmp_path, profile=PROFILE.replace("households.csv", "households.parquet"), households=None)
    (tmp_path / "households.parquet").write_bytes(parquet(household=[1029.0]))
    with log_of(where, [order("a", "1029", START + 200 * DAY)]) as log:
        assert offline.build(where, log).tables[2].match_rate == 1.0


# --------------------------------------------------------------------------------------------------------------- profile.yaml


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "the file is empty", id="an empty file"),
        pytest.param(PROFILE[: len(PROFILE) // 2 + 17], "expected keys with values", id="half-written"),
        pytest.param("- a\n- b\n", "expected keys with values", id="a list"),
        pytest.param(PROFILE.replace("  offers:", "  orders:"), "views.orders: written twice", id="a view twice"),
        pytest.param(PROFILE.replace("      lines:", "      points:"), "points: written twice", id="a feature twice"),
        pytest.param(PROFILE.replace("owner:", "ownr:"), "did you mean 'owner'", id="an unknown field"),
        pytest.param(PROFILE.replace("half_life: 30d", "half_life: [1]"), "expected a duration such as 30d", id="a wrong type"),
        pytest.param(
            PROFILE.replace("half_life: 30d", "half_life: 99999999999d"), "expected a duration", id="an absurd duration"
        ),
        pytest.param(PROFILE.replace("[100, 500]", "[.nan, 500]"), "expected a number, found nan", id="a cut that is none"),
        pytest.param(PROFILE.replace("2017-02-01", "1900-01-01"), "1900-01-01 is absurd", id="known in 1900"),
        pytest.param(PROFILE.replace("2017-02-01", "2200-01-01"), "2200-01-01 is absurd", id="known in 2200"),
        pytest.param(
            PROFILE.replace("known_at: 2017-02-01", "known_at: 2017-02-01\n    effective_from: 2200-01-01"),
            "effective_from lie in 1970 to 2099",
            id="effective in 2200",
        ),
    ],
)
def test_a_profile_that_is_unfit_is_told_with_file_line_and_cure(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=rf"profile\.yaml:\d+:\d+: .*{says}"):
        workspace(tmp_path, profile=text)


# --------------------------------------------------------------------------------------------------------- what was written


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a build and a loaded store."""
    where = workspace(tmp_path_factory.mktemp("whole"))
    with log_of(where, year(1, records=60)) as log:
        offline.build(where, log)
        offline.materialize(where, log)
    return where.path


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(whole, tmp_path / "copy")
    return Workspace.load(tmp_path / "copy")


def _sql(statement: str) -> Callable[[Path], object]:
    def run(file: Path) -> None:
        with sqlite3.connect(file) as connection:
            connection.execute(statement)
        connection.close()

    return run


def _cut(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda file: file.write_bytes(b"no database" * 500), id="no database"),
        pytest.param(_cut, id="half of it"),
        pytest.param(lambda file: (file.unlink(), file.mkdir()), id="a folder"),
        pytest.param(_sql('DROP TABLE "view_orders"'), id="a view that is gone"),
        pytest.param(_sql("DROP TABLE meta"), id="notes that are gone"),
        pytest.param(_sql("UPDATE meta SET value = 'x' WHERE name = 'cursor'"), id="a cursor that is no number"),
        pytest.param(_sql("UPDATE meta SET value = 'x' WHERE name = 'population'"), id="habits that are no JSON"),
    ],
)
def test_a_damaged_store_says_what_to_do(spoil: Callable[[Path], object], copied: Workspace) -> None:
    file = copied.data / offline.ONLINE
    spoil(file)
    with pytest.raises(StoreError, match=r"online\.db: not an online store .*delete it and run 'kairos features materialize'"):
        PackedStore(file, copied.profile)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(_sql('UPDATE "view_orders" SET row = substr(row, 1, 20)'), id="cut"),
        pytest.param(_sql("UPDATE \"view_orders\" SET row = 'text'"), id="text"),
        pytest.param(_sql("UPDATE schema SET checksum = 1 WHERE view = 'orders'"), id="of another schema"),
    ],
)
def test_rows_of_another_form_are_not_found_and_never_misread(spoil: Callable[[Path], object], copied: Workspace) -> None:
    spoil(copied.data / offline.ONLINE)
    store = PackedStore(copied.data / offline.ONLINE, copied.profile)
    profile = store.read("c0", START + 400 * DAY)
    assert profile.get("points") is None and profile.get("members") == 3.0
    store.close()


@pytest.mark.parametrize("spoil", [_cut, Path.unlink], ids=["half-written", "gone"])
def test_a_build_whose_table_is_not_whole_is_none_and_is_built_again(
    spoil: Callable[[Path], object], copied: Workspace
) -> None:
    report = builds.current(copied.data / "offline")
    assert report is not None
    spoil(builds.table_file(copied.data / "offline", report.stamp, "orders"))
    with pytest.raises(FeatureStoreError, match="run 'kairos features build'"):
        offline.training_frame(copied, labels(["c0"], START))
    with log_of(copied) as log:
        again = offline.build(copied, log)
    assert (again.reused, again.stamp, again.tables) == (False, report.stamp, report.tables)
    assert offline.training_frame(copied, labels(["c0"], START + 400 * DAY), ["points"])["points"][0] is not None


def test_a_registry_that_is_damaged_says_what_to_do_and_one_that_is_gone_is_made_again(copied: Workspace) -> None:
    frame = labels(["c0"], START + 400 * DAY)
    expected = offline.training_frame(copied, frame)
    registry = copied.data / "registry.db"
    registry.write_bytes(b"xx")
    with pytest.raises(FeatureStoreError, match=r"registry\.db: damaged .*; delete it"):
        offline.training_frame(copied, frame)
    registry.unlink()
    assert offline.training_frame(copied, frame).equals(expected)


# ------------------------------------------------------------------------------------------------------------------- labels


def _at(*moments: datetime, kind: Any = UTC_TIMES) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": ["c0"] * len(moments), "at": pl.Series(list(moments), dtype=UTC_TIMES).cast(kind)})


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        pytest.param(_at(datetime(1900, 1, 1, tzinfo=UTC)), "a label is of 1900", id="1900"),
        pytest.param(_at(START, datetime(2200, 1, 1, tzinfo=UTC)), "a label is of 2200", id="2200"),
        pytest.param(_at(datetime(1, 1, 1, tzinfo=UTC)), "a label is of 1;", id="the first year"),
        pytest.param(_at(START, kind=pl.Date), "times with a time zone", id="a date"),
        pytest.param(_at(START, kind=pl.Datetime("us")), "times with a time zone", id="no zone"),
        pytest.param(pl.DataFrame(), "a column customer_id of text; .* a column at", id="no columns"),
        pytest.param(_at(START).with_columns(customer_id=pl.lit(7)), "customer_id of text", id="an id that is a number"),
        pytest.param(_at(START).with_columns(customer_id=pl.lit(None, dtype=pl.String)), "has no customer_id", id="no id"),
        pytest.param(_at(START).with_columns(at=pl.lit(None, dtype=pl.Datetime("us", "UTC"))), "has no time", id="no time"),
        pytest.param(_at(START).with_columns(points=pl.lit(1)), "have a column 'points' already", id="a column twice"),
        pytest.param(_at(START).lazy(), "a DataFrame of Polars", id="a lazy frame"),
        pytest.param({"customer_id": ["c0"]}, "a DataFrame of Polars", id="no frame"),
    ],
)
def test_labels_that_are_unfit_are_refused(frame: Any, says: str, whole: Path) -> None:
    with pytest.raises(FeatureStoreError, match=says):
        offline.training_frame(Workspace.load(whole), frame, ["points"])


@pytest.mark.parametrize("names", ["points", ["points", "points"], ["visits"], [7]], ids=["text", "twice", "unknown", "number"])
def test_features_that_are_unfit_are_refused(names: Any, whole: Path) -> None:
    with pytest.raises(KairosError, match=r"list of names|asked for twice|no feature"):
        offline.training_frame(Workspace.load(whole), _at(START), names)
