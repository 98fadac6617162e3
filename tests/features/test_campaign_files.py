"""Tables as companies export them: what is read, what is left out with a warning, and what is refused with the cure."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from features.campaign_files import Campaign, CampaignError, read_campaign

ROWS = 120


def columns() -> dict[str, list[Any]]:
    return {
        "arm": ["mail", "none", "call"] * 40,
        "bought": [0, 1] * 60,
        "chance": [0.25, 0.5, 0.25] * 40,
        "age": [20 + at % 50 for at in range(ROWS)],
    }


def read(folder: Path, changes: dict[str, list[Any]] | None = None, **words: Any) -> Campaign:
    file = folder / "campaign.parquet"
    pl.DataFrame(columns() | (changes or {}), strict=False).write_parquet(file)
    return read_campaign(file, **({"action": "arm", "reward": "bought", "propensity": "chance"} | words))


def test_a_table_is_read_as_arrays(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert found.arms == ("call", "mail", "none")
    assert found.action[:3].tolist() == [1, 2, 0]
    assert found.reward[:2].tolist() == [0, 1]
    assert found.propensity[:3].tolist() == [0.25, 0.5, 0.25]
    assert (found.columns, found.matrix[:2, 0].tolist(), found.warnings) == (("age",), [20, 21], ())


def test_a_number_is_the_propensity_of_all_rows_and_dropped_columns_are_gone(tmp_path: Path) -> None:
    found = read(tmp_path, propensity="0.3333", drop=["chance"])
    assert set(found.propensity) == {0.3333}
    assert found.columns == ("age",)


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_csv_and_tsv_say_the_same_as_parquet(tmp_path: Path, kind: str) -> None:
    changes: dict[str, list[Any]] = {
        "city": ["Rome", None] * 60,
        "since": [date(2024, 1, 1) + timedelta(at % 9) for at in range(ROWS)],
    }
    first = read(tmp_path, changes)
    file = tmp_path / f"campaign.{kind}"
    pl.DataFrame(columns() | changes).write_csv(file, separator="\t" if kind == "tsv" else ",")
    second = read_campaign(file, action="arm", reward="bought", propensity="chance")
    assert (first.arms, first.columns) == (second.arms, second.columns)
    np.testing.assert_array_equal(first.matrix, second.matrix)


def test_every_kind_of_column_becomes_numbers(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {
            "age": [None if at % 10 == 0 else at % 50 for at in range(ROWS)],
            "member": [True, False] * 60,
            "city": ["Rome", "Oslo", "Rome"] * 40,
            "street": [f"street {at % 30}" for at in range(ROWS)],
            "since": [date(2024, 1, 1) + timedelta(at % 9) for at in range(ROWS)],
        },
    )
    assert found.columns == (
        "age", "age is missing", "member", "city = Rome", "city = Oslo", "street (how frequent)",
        "since (day)", "since (weekday)",
    )  # fmt: skip
    assert found.origins == ("age", "age", "member", "city", "city", "street", "since", "since")
    row = dict(zip(found.columns, found.matrix[0], strict=True))
    assert np.isnan(row.pop("age"))
    assert row == pytest.approx(
        {
            "age is missing": 1, "member": 1, "city = Rome": 1, "city = Oslo": 0,
            "street (how frequent)": np.log1p(4), "since (day)": 19_723, "since (weekday)": 0,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        ("id", list(range(ROWS)), "looks like an id"),
        ("code", [f"c{at}" for at in range(ROWS)], "looks like an id"),
        ("country", ["IT"] * ROWS, "the same of everybody"),
        ("note", [None] * ROWS, "the same of everybody"),
        ("history", [[1, 2]] * ROWS, "no kind of value"),
    ],
)
def test_what_no_policy_can_use_is_left_out_with_a_warning(tmp_path: Path, column: str, values: list[Any], says: str) -> None:
    found = read(tmp_path, {column: values})
    assert found.columns == ("age",)
    assert len(found.warnings) == 1
    assert column in found.warnings[0] and says in found.warnings[0]


@pytest.mark.parametrize(
    ("changes", "words", "says"),
    [
        ({}, {"action": "arms"}, "no column 'arms'; it has arm, bought, chance, age"),
        ({}, {"drop": ["agee"]}, "no column 'agee'"),
        ({}, {"reward": "arm"}, "columns of their own"),
        ({}, {"propensity": "a third"}, "neither a column of the table nor a number"),
        ({"arm": [None, "mail", "none"] * 40}, {}, "40 rows have no action"),
        ({"arm": ["mail"] * ROWS}, {}, "one action only"),
        ({"bought": ["yes", "no"] * 60}, {}, "something else than numbers; write 0 and 1"),
        ({"bought": [None, 1] * 60}, {}, "60 rows have no reward in 'bought'; write 0"),
        ({"chance": [float("nan")] + [0.5] * (ROWS - 1)}, {}, "1 rows have no propensity"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_the_cure(
    tmp_path: Path, changes: dict[str, list[Any]], words: dict[str, Any], says: str
) -> None:
    with pytest.raises(CampaignError, match=says):
        read(tmp_path, changes, **words)


def test_more_actions_than_can_be_compared_look_like_an_id(tmp_path: Path) -> None:
    file = tmp_path / "campaign.csv"
    pl.DataFrame({"arm": range(300), "bought": [0, 1] * 150}).write_csv(file)
    with pytest.raises(CampaignError, match="300 actions; at most 200"):
        read_campaign(file, action="arm", reward="bought", propensity="0.5")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("campaign.csv", None, "no such file"),
        ("campaign.xlsx", b"x", "not a .csv, .tsv or .parquet file"),
        ("campaign.parquet", b"half", "cannot be read as parquet"),
        ("campaign.csv", b"", "cannot be read as csv"),
        ("campaign.csv", b"arm,bought,chance\n", "no rows"),
        ("campaign.csv", b"arm,bought\nmail,1\nnone,1,2,3\n", "cannot be read as csv"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes | None, says: str) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CampaignError, match=says):
        read_campaign(file, action="arm", reward="bought", propensity="chance")
