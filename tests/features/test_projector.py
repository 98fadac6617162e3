from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from features import projector
from features.log import Log, Record
from features.projector import Projector
from features.stores import Store, open_store
from tests.features.worlds import DAY, START, ZONE, log_of, order, outcome, spec, workspace, year


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with log_of(workspace(tmp_path / "brand")) as made:
        yield made


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    made = open_store(address, spec())
    yield made
    made.close()


def test_a_record_changes_the_profile_it_is_about(log: Log, store: Store) -> None:
    project = Projector(log, store, spec(), ZONE)
    assert project.run_once() == 0
    log.append(
        [order("a", "anne", START, total=40.0, products=[("PASTRY", 4.0)]), outcome("b", "anne", START, kind="accepted")]
    )
    assert project.run_once() == 2
    read = store.read("anne", START + 30 * DAY)
    assert (read.get("spend_30d"), read.get("points"), read.get("since_order")) == (20.0, 40.0, 30.0)
    assert (read.get("since_accepted"), read.get("offers_7d")) == (30.0, 0.0)
    assert not store.read("bob", START).known
    assert (store.cursor, project.run_once()) == (2, 0)


def test_a_late_record_counts_what_it_would_have_counted_in_time(log: Log, store: Store) -> None:
    project = Projector(log, store, spec(), ZONE)
    log.append([order("a", "anne", START + 60 * DAY, total=1.0)])
    project.run_once()
    log.append([order("b", "anne", START, known=START + 61 * DAY, total=8.0)])
    project.run_once()
    read = store.read("anne", START + 60 * DAY)
    assert (read.get("spend_30d"), read.get("tenure"), read.get("since_order")) == (3.0, 60.0, 0.0)


def test_a_load_that_begins_further_back_while_records_are_read_loses_none(
    log: Log, store: Store, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, other = Projector(log, store, spec(), ZONE), open_store(address, spec())
    log.append([order("a", "anne", START, total=1.0), order("b", "anne", START, total=2.0)])
    project.run_once()
    empty, read = {view: other.rows(view, ["nobody"]) for view in ("orders", "offers")}, project._next

    def load_meanwhile(cursor: int) -> list[Record]:
        records = read(cursor)
        if cursor == 2 and records:
            other.load(empty, cursor=0, meta={})
        return records

    monkeypatch.setattr(project, "_next", load_meanwhile)
    log.append([order("c", "anne", START, total=4.0)])
    project.run_once()
    assert (store.read("anne", START).get("points"), store.cursor) == (7.0, 3)
    other.close()


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_however_the_records_are_batched_the_profile_is_the_same(
    log: Log, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    log.append(year(5, records=150))
    Projector(log, store, spec(), ZONE).run_once()
    monkeypatch.setattr(projector, "BATCH", size)
    other = open_store(f"sqlite:///{tmp_path / 'other.db'}", spec())
    try:
        assert Projector(log, other, spec(), ZONE).run_once() == 150
        for at in range(12):
            one, two = (some.read(f"c{at}", START + 400 * DAY) for some in (store, other))
            np.testing.assert_array_equal(one.present, two.present)
            np.testing.assert_allclose(one.values, two.values, rtol=1e-5)
    finally:
        other.close()


def test_an_interrupted_fold_is_folded_once(log: Log, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    log.append([order("a", "anne", START, total=5.0)])

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    project = Projector(log, store, spec(), ZONE)
    with monkeypatch.context() as patched:
        patched.setattr("features.packed.Writing.move", fail)
        patched.setattr("features.packed_redis.RedisWriting.move", fail)
        with pytest.raises(KeyboardInterrupt):
            project.run_once()
    assert not store.read("anne", START).known
    assert project.run_once() == 1
    assert store.read("anne", START).get("points") == 5.0


def test_two_projectors_fold_each_record_once(log: Log, store: Store, address: str) -> None:
    second = open_store(address, spec())
    try:
        one, two = Projector(log, store, spec(), ZONE), Projector(log, second, spec(), ZONE)
        for at in range(6):
            log.append([order(f"m{at}", "anne", START + at * timedelta(hours=1), total=1.0)])
            (one if at % 2 else two).run_once()
            assert (two if at % 2 else one).run_once() == 0
        assert store.read("anne", START + DAY).get("points") == 6.0
    finally:
        second.close()


def test_a_projector_that_comes_second_reads_on_from_the_first(
    log: Log, store: Store, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append([order("a", "anne", START, total=1.0), order("b", "anne", START, total=2.0)])
    second = open_store(address, spec())
    late = Projector(log, second, spec(), ZONE)
    read = late._next

    def meanwhile(cursor: int) -> object:
        records = read(cursor)
        Projector(log, store, spec(), ZONE).run_once()
        return records

    try:
        monkeypatch.setattr(late, "_next", meanwhile)
        assert late.run_once() == 0
        assert second.read("anne", START).get("points") == 3.0
    finally:
        second.close()
