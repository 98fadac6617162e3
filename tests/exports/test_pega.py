"""Pega's tables, read by the open pdstools: the same priority, the same rank."""

import csv
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from pdstools import IH
from pdstools.decision_analyzer import DecisionAnalyzer

from decisioning.errors import KairosError
from features.exports.choices import IMPORTED
from features.exports.pega import OTHERWISE, OUTCOMES
from features.exports.tables import harmless, table
from features.log.decisions import replayed
from tests.exports.brand import SECRET, Exporting
from tests.features.trial_log import body_changed
from tests.worlds import NOW, SALT

ENDINGS = ("csv", "ndjson", "parquet")


def raw(file: Path) -> pl.DataFrame:
    match file.suffix:
        case ".csv":
            return pl.read_csv(file)
        case ".ndjson":
            return pl.read_ndjson(file)
        case _:
            return pl.read_parquet(file)


@pytest.mark.parametrize("ending", ENDINGS)
def test_pdstools_finds_the_same_priority_and_rank(brand: Exporting, ending: str) -> None:
    out, report = brand.export("pega", f"extract.{ending}")
    written = raw(out)
    analyzer = DecisionAnalyzer.from_explainability_extract(out)
    assert analyzer.validation_error is None
    key = {"Interaction ID": "pxInteractionID", "Action": "pyName"}
    ranked = analyzer.scoring.re_rank().collect().rename(key)
    found = written.join(ranked.select(*key.values(), "prio_PVCL", "Rank", "rank_PVCL"), on=list(key.values()))
    assert found.height == written.height == report.files[str(out)] > 300
    assert (found["prio_PVCL"] - found["Priority"]).abs().max() < 1e-12  # type: ignore[operator]
    assert found["Rank"].to_list() == found["pxRank"].to_list()
    assert found["rank_PVCL"].to_list() == found["pxRank"].to_list()


def test_the_extract_is_what_the_decisions_come_to_when_they_are_made_again(brand: Exporting) -> None:
    out, _ = brand.export("pega", "extract.parquet", keep_ids=True)
    rulebook = brand.book.compiled()
    expected = [
        (again.request.customer_id, again.request.decision_id, one.action, one.rank, one.terms.p, one.terms.c, one.terms.v,
         one.terms.l, one.terms.priority, "Control" if again.group == "random" else "Test")
        for again in (replayed(record, rulebook, salt=SALT) for record in brand.decisions)
        for one in again.candidates
    ]  # fmt: skip
    columns = (
        "pySubjectID", "pxInteractionID", "pyName", "pxRank", "FinalPropensity", "ContextWeight", "Value", "Weight", "Priority",
        "ModelControlGroup",
    )  # fmt: skip
    found = raw(out)
    assert found.select(columns).rows() == expected
    assert set(found.select("pyIssue", "pyGroup", "pyChannel", "pyDirection").rows()) == {
        ("grow", "offers", "app", "Inbound"),
        ("grow", "offers", "email", "Outbound"),
        ("care", "care", "app", "Inbound"),
        ("care", "care", "email", "Outbound"),
    }
    assert found["pxDecisionTime"].str.starts_with("20180101T14").any()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_pdstools_reads_the_interaction_history(brand: Exporting, ending: str) -> None:
    out, report = brand.export("pega", f"extract.{ending}")
    file = brand.folder / f"extract-interaction-history.{ending}"
    history = IH.from_ds_export(file)
    found = history.data.collect()
    successes = found.filter(pl.col("Outcome") == "Accepted")
    assert found.height == successes.height == report.files[str(file)] > 20
    assert found["OutcomeTime"].null_count() == 0
    extract = raw(out).select("pySubjectID", "pxInteractionID", "pyName", "FinalPropensity", "pyChannel")
    both = found.join(extract, left_on=["InteractionID", "Name"], right_on=["pxInteractionID", "pyName"])
    assert both.height == found.height
    assert both["SubjectID"].to_list() == both["pySubjectID"].to_list()
    assert both["Propensity"].to_list() == pytest.approx(both["FinalPropensity"].to_list())


def test_what_has_no_probability_or_cannot_be_made_again_is_counted(brand: Exporting) -> None:
    out, report = brand.export("pega", "extract.csv")
    assert report.left_out == {IMPORTED: 1, OUTCOMES: 1}
    assert SECRET not in out.read_text(encoding="utf-8")
    first = brand.decisions[0]
    record = body_changed(first, decision_id="tampered", journey_stage="lapsed")
    brand.log.append([replace(record, message_id="tampered", known_time=NOW)])
    _, report = brand.export("pega", "extract.csv")
    assert report.left_out[OTHERWISE] == 1


def test_pseudonyms_join_the_two_tables_and_name_nobody(brand: Exporting) -> None:
    out, _ = brand.export("pega", "extract.csv")
    for file in (out, brand.folder / "extract-interaction-history.csv"):
        assert not any(word in file.read_text(encoding="utf-8") for word in ("=c", "d-", SECRET))
    assert oct(out.stat().st_mode)[-3:] == "600"


def test_no_cell_of_a_csv_is_a_formula(brand: Exporting) -> None:
    out, _ = brand.export("pega", "extract.csv", keep_ids=True)
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert all(row["pySubjectID"].startswith(("'=c", "someone")) for row in rows)
    assert [harmless(cell) for cell in ("=1", "+1", "-1", "@a", "\t=1", "a=1", -1.5, None)] == [
        "'=1", "'+1", "'-1", "'@a", "'\t=1", "a=1", -1.5, None,
    ]  # fmt: skip


def test_text_of_any_kind_comes_back_as_it_was(tmp_path: Path) -> None:
    nasty = 'a"b,c\r\n{"x": 1}\u2028é\x00'
    for ending in ENDINGS:
        out = tmp_path / f"t.{ending}"
        with table(out, {"text": str, "number": float}) as append:
            append({"text": nasty, "number": 0.1})
        assert raw(out).rows() == [(nasty, 0.1)]


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    for ending in ENDINGS:
        with pytest.raises(KeyError), table(tmp_path / f"t.{ending}", {"number": int}) as append:
            append({"another": 1})
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KairosError, match=r"ends in \.csv, \.ndjson, \.parquet"), table(tmp_path / "t.xlsx", {"number": int}):
        pass
