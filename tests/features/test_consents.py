from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisioning.policy import Purpose
from features import consents, identities
from features.identities import named
from features.known import Known
from features.log import Record
from tests.features import brute
from tests.features.memory import MemoryLog
from tests.features.worlds import DAY, IDS, START, consent, joined_life, labels, linked

PURPOSES = {"yes": Purpose(default=True, says="x"), "no": Purpose(default=False, says="y")}


def _of(*said: tuple[str, str, datetime, bool]) -> pl.DataFrame:
    return _kept([consent(f"m{at}", who, when, purpose=what, granted=how) for at, (who, what, when, how) in enumerate(said)])


def _kept(records: Sequence[Record]) -> pl.DataFrame:
    log = MemoryLog(records)
    return consents.of(log.columns(kinds=("consent",)), Known(log.links()))


def test_the_last_word_before_a_moment_holds_and_the_default_before_any(tmp_path: Path) -> None:
    said = _of(
        ("a", "no", START, True), ("a", "no", START + DAY, False), ("a", "no", START + DAY, True), ("b", "yes", START, False)
    )
    said.write_parquet(tmp_path / "c.parquet")
    asked = labels(["a", "b", "c"], START + DAY, START, START + timedelta(microseconds=1), START + 2 * DAY)
    found = {
        what: consents.granted(tmp_path / "c.parquet", asked, what, PURPOSES).tolist() for what in ("yes", "no", "unasked")
    }
    # of the two words said at one moment the one that withholds is heard
    assert found["no"] == [True, False, False, False, False, False, True, False, False, False, False, False]
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


def test_the_word_said_last_holds_whichever_came_first(tmp_path: Path) -> None:
    late = consent("late", "a", START, known=START + 9 * DAY, purpose="yes", granted=False)
    _kept([consent("now", "a", START + DAY, purpose="yes", granted=True), late]).write_parquet(tmp_path / "c.parquet")
    asked = labels(["a"], START + 5 * DAY, START + 10 * DAY)
    assert consents.granted(tmp_path / "c.parquet", asked, "yes", PURPOSES).tolist() == [True, True]


def test_ids_that_become_one_have_the_strictest_word_and_give_it_back_when_they_part() -> None:
    device = "anonymous:x"
    records = [
        consent("no", device, START, purpose="yes", granted=False),
        consent("ok", "A", START, purpose="yes", granted=True),
        linked("in", device, "B", START + DAY),
        # the device was A's before it was B's, which is learned later
        linked("moved", device, "A", START - DAY, known=START + 3 * DAY),
    ]
    rows = {(who, known): granted for who, _, granted, known in _kept(records).rows()}
    moments = [int((START + day * DAY).timestamp() * 1e6) for day in (0, 1, 3)]
    assert {key: rows[key] for key in rows if key[0] == "B"} == {("B", moments[1]): False, ("B", moments[2]): None}
    assert rows["A", moments[0]] is True
    assert rows["A", moments[2]] is False


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32), links=st.integers(0, 5), words=st.integers(1, 8), day=st.integers(0, 400))
def test_consents_are_what_the_slow_reference_says_for_any_id_at_any_moment(
    tmp_path_factory: pytest.TempPathFactory, seed: int, links: int, words: int, day: int
) -> None:
    records = joined_life(np.random.default_rng(seed), records=0, links=links, words=words)
    file, at = tmp_path_factory.mktemp("said") / "c.parquet", START + day * DAY
    purposes = {"personalisation": PURPOSES["yes"], "third_party": PURPOSES["no"]}
    _kept(records).write_parquet(file)
    asked = named(labels(IDS, at), identities.of(Known(MemoryLog(records).links())))
    for purpose, rule in purposes.items():
        expected = [brute.agrees(records, one, purpose, at, default=rule.default) for one in IDS]
        assert consents.granted(file, asked, purpose, purposes).tolist() == expected
