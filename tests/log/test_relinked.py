"""Whom newly told links concern: all whose customer they change, and not everybody else who used the device."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.log import Log
from tests.features.worlds import DAY, IDS, START, joined_life, linked

X = "anonymous:x"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(f"sqlite:///{tmp_path / 'log.db'}")
    yield made
    made.close()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), links=st.integers(1, 8), sizes=st.lists(st.integers(1, 4), min_size=8, max_size=8))
def test_all_whose_customer_changed_are_concerned(
    tmp_path_factory: pytest.TempPathFactory, seed: int, links: int, sizes: list[int]
) -> None:
    random = np.random.default_rng(seed)
    records = joined_life(random, records=0, links=links)
    left = [records[place] for place in random.permutation(len(records))]
    log = Log(f"sqlite:///{tmp_path_factory.mktemp('log') / 'log.db'}")
    was = {one: log.customer(one) for one in IDS}
    for size in sizes:
        after = log.last_sequence()
        log.append(left[:size])
        left = left[size:]
        concerned = {
            member for one in log.relinked(after=after, until=log.last_sequence()) for member in log.customer(one).members
        }
        now = {one: log.customer(one) for one in IDS}
        assert {one for one in IDS if now[one] != was[one]} <= concerned
        was = now
    log.close()


def test_the_next_to_sign_in_on_a_shared_device_concerns_nobody(log: Log) -> None:
    log.append([linked("a", X, "A", START), linked("b", X, "B", START + DAY)])
    assert set(log.relinked(after=0, until=2)) == {X, "A"}
    assert not log.relinked(after=1, until=2)


def test_a_device_that_moves_concerns_all_who_had_it(log: Log) -> None:
    log.append([linked(who, X, who, START - at * DAY, known=START + at * DAY) for at, who in enumerate("ABC")])
    assert set(log.relinked(after=2, until=3)) == {X, "A", "B", "C"}
    assert set(log.relinked(after=0, until=2)) == {X, "A", "B"}


def test_who_signs_in_again_concerns_nobody(log: Log) -> None:
    log.append([linked("a", X, "A", START), linked("again", X, "A", START + DAY)])
    assert not log.relinked(after=1, until=2)


def test_it_tells_when_that_became_known(log: Log) -> None:
    log.append([linked("a", X, "A", START), linked("b", "B", "A", START, known=START + DAY)])
    since = log.relinked(after=0, until=2)
    assert since["A"] - since[X] == since["B"] - since[X] == 86_400_000_000
