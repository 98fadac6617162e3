"""Contested data in training: missing from the moment a decision would not have read them, until they are settled."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import contests, identities, offline
from features.identities import named
from features.known import Known
from features.log import Record
from tests.features import brute
from tests.features.memory import MemoryLog
from tests.features.worlds import DAY, IDS, START, contest, joined_life, labels, linked, log_of, order, workspace

X = "anonymous:x"
HOUR = timedelta(hours=1)


def _kept(records: list[Record], file: Path) -> Known:
    log = MemoryLog(sorted(records, key=lambda record: record.known_time))
    known = Known(log.links())
    contests.of(log.columns(kinds=("contest",)), known).write_parquet(file)
    return known


def test_the_next_frame_has_no_contested_datum_from_the_moment_it_was_contested_until_it_is_settled(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    records = [
        order("a", "c0", START, total=5.0),
        order("b", "c1", START, total=7.0),
        contest("wrong", "c0", START + 2 * DAY, feature="points"),
        contest("mended", "c0", START + 4 * DAY, feature="points", settled=True),
    ]
    with log_of(where, records) as log:
        offline.build(where, log)
    # at the very moment a record becomes known nothing that is decided then has seen it
    asked = labels(["c0", "c1"], START + DAY, START + 2 * DAY, START + 2 * DAY + HOUR, START + 5 * DAY)
    frame = offline.training_frame(where, asked, ["points", "orders_30d"])
    assert frame["points"].to_list() == [5.0, 7.0, 5.0, 7.0, None, 7.0, 5.0, 7.0]
    assert frame["orders_30d"].null_count() == 0


def test_the_word_said_last_holds_whichever_came_first(tmp_path: Path) -> None:
    file = tmp_path / "c.parquet"
    _kept(
        [
            contest("mended", "a", START + DAY, feature="points", settled=True),
            contest("late", "a", START, feature="points", known=START + 9 * DAY),
            contest("at once", "b", START, feature="points", settled=True),
            contest("and", "b", START, feature="points"),
        ],
        file,
    )
    asked = labels(["a", "b"], START + 5 * DAY, START + 10 * DAY)
    assert contests.contested(file, asked, ["orders_30d", "points"]).tolist() == [[False, False], [False, True]] * 2


def test_nothing_contested_withholds_nothing(tmp_path: Path) -> None:
    file = tmp_path / "c.parquet"
    _kept([], file)
    assert not contests.contested(file, labels(["a"], START), ["points"]).any()
    assert contests.contested(file, labels([], START), ["points"]).shape == (0, 1)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32), links=st.integers(0, 5), words=st.integers(1, 8), day=st.integers(0, 400))
def test_contests_are_what_the_slow_reference_says_for_any_id_at_any_moment(
    tmp_path_factory: pytest.TempPathFactory, seed: int, links: int, words: int, day: int
) -> None:
    random = np.random.default_rng(seed)
    records = joined_life(random, records=0, links=links)
    for at in range(words):
        happened = START + int(random.integers(300)) * DAY
        records.append(
            contest(
                f"w{at}",
                str(random.choice(IDS)),
                happened,
                feature=str(random.choice(["points", "spend"])),
                settled=bool(random.integers(2)),
                known=happened + int(random.choice([0, 0, 3, 60])) * DAY,
            )
        )
    file, at = tmp_path_factory.mktemp("said") / "c.parquet", START + day * DAY
    asked = named(labels(IDS, at), identities.of(_kept(records, file)))
    found = contests.contested(file, asked, ["points", "spend"])
    expected = [[brute.contests(records, one, feature, at) for feature in ("points", "spend")] for one in IDS]
    assert found.tolist() == expected


def test_devices_that_part_give_back_what_they_contested(tmp_path: Path) -> None:
    file = tmp_path / "c.parquet"
    known = _kept(
        [
            contest("wrong", X, START, feature="points"),
            linked("in", X, "B", START + DAY),
            # the device was A's before it was B's, which is learned later
            linked("moved", X, "A", START - DAY, known=START + 3 * DAY),
        ],
        file,
    )
    asked = named(labels(["A", "B"], *(START + day * DAY + HOUR for day in (0, 1, 3))), identities.of(known))
    assert contests.contested(file, asked, ["points"])[:, 0].tolist() == [False, False, False, True, True, False]
