from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from decisioning.policy import Purpose
from features import consents
from features.log.records import microseconds
from tests.features.worlds import DAY, START, consent, labels

PURPOSES = {"yes": Purpose(default=True, says="x"), "no": Purpose(default=False, says="y")}


def _of(*said: tuple[str, str, datetime, bool]) -> pl.DataFrame:
    records = [consent(f"m{at}", who, when, purpose=what, granted=how) for at, (who, what, when, how) in enumerate(said)]
    return consents.of(
        {
            "customer_id": [record.customer_id for record in records],
            "known_us": [microseconds(record.known_time) for record in records],
            "payload": [record.payload for record in records],
        }
    )


def test_the_last_word_before_a_moment_holds_and_the_default_before_any(tmp_path: Path) -> None:
    said = _of(
        ("a", "no", START, True), ("a", "no", START + DAY, False), ("a", "no", START + DAY, True), ("b", "yes", START, False)
    )
    said.write_parquet(tmp_path / "c.parquet")
    asked = labels(["a", "b", "c"], START + DAY, START, START + timedelta(microseconds=1), START + 2 * DAY)
    found = {
        what: consents.granted(tmp_path / "c.parquet", asked, what, PURPOSES).tolist() for what in ("yes", "no", "unasked")
    }
    assert found["no"] == [True, False, False, False, False, False, True, False, False, True, False, False]
    assert found["yes"] == [True, False, True, True, True, True, True, False, True, True, False, True]
    assert not any(found["unasked"])


def test_those_who_do_not_agree_are_counted() -> None:
    said = _of(
        ("a", "no", START, True), ("b", "yes", START, False), ("b", "yes", START + DAY, True), ("z", "yes", START, False)
    )
    assert consents.refused(said, PURPOSES, ["a", "b", "c"]) == {"no": 2}
    assert consents.refused(_of(), PURPOSES, ["a"]) == {"no": 1}


def test_no_consents_and_no_labels_give_nothing(tmp_path: Path) -> None:
    _of().write_parquet(tmp_path / "c.parquet")
    assert consents.granted(tmp_path / "c.parquet", labels([], datetime(2017, 1, 1, tzinfo=UTC)), "yes", PURPOSES).shape == (0,)
