import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from decisioning.domain import Profile
from features.log.records import microseconds
from features.packed import PackedStore, StoreError
from features.packed_rows import StoredRows
from tests.features.worlds import DAY, PROFILE, START, spec


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PackedStore]:
    made = PackedStore(tmp_path / "online.db", spec())
    yield made
    made.close()


def _stored(view: str, *customers: str, at: int = microseconds(START), **known: float) -> dict[str, StoredRows]:
    table = next(table for table in spec().tables if table.name == view)
    values = np.full((len(customers), len(table.columns)), np.nan)
    for name, value in known.items():
        values[:, table.names.index(name)] = value
    return {view: StoredRows(customers, values, np.full(len(customers), at, dtype=np.int64))}


def _same(one: Profile, other: Profile) -> bool:
    return np.array_equal(one.values, other.values, equal_nan=True) and np.array_equal(one.present, other.present)


def test_a_profile_is_read_aged_to_now(store: PackedStore) -> None:
    store.load(_stored("orders", "anne", orders_30d=4.0, since_order=1.0, points=600.0), cursor=7, meta={})
    read = store.read("anne", START + 30 * DAY)
    assert (read.get("orders_30d"), read.get("since_order"), read.get("points"), read.get("tier")) == (2.0, 31.0, 600.0, "gold")
    assert read.get("spend_30d") is None and read.get("age_band") is None
    assert store.cursor == 7


def test_a_customer_nobody_has_heard_of_has_an_empty_profile(store: PackedStore) -> None:
    read = store.read("nobody", START)
    assert not read.known
    assert _same(read, Profile.empty(spec().index))


def test_third_party_data_are_not_there_before_they_take_effect(store: PackedStore) -> None:
    store.load(_stored("households", "anne", age_band=1.0, members=2.0), cursor=0, meta={})
    assert not store.read("anne", START - timedelta(microseconds=1)).known
    assert store.read("anne", START).get("age_band") == "25-34"
    assert store.read("anne", START + 900 * DAY).get("members") == 2.0


def test_a_clock_that_is_behind_reads_a_row_as_of_its_moment(store: PackedStore) -> None:
    store.load(_stored("orders", "anne", orders_30d=4.0, since_order=0.0), cursor=0, meta={})
    assert _same(store.read("anne", START - DAY), store.read("anne", START))


def test_loading_replaces_everything(store: PackedStore) -> None:
    store.load(_stored("orders", "anne", "bob", points=1.0), cursor=3, meta={"build": "one"})
    store.load(_stored("orders", "bob", points=2.0), cursor=5, meta={"build": "two"})
    assert not store.read("anne", START).known
    assert (store.count("orders"), store.cursor, store.meta("build")) == (1, 5, "two")


def test_a_deleted_customer_is_in_no_view_and_the_others_stay(store: PackedStore) -> None:
    rows = _stored("orders", "anne", "bob", orders_30d=4.0) | _stored("households", "anne", members=2.0)
    store.load(rows, cursor=7, meta={})
    with store.changing() as writing:
        assert writing.delete("anne") == 2
        assert writing.delete("anne") == writing.delete("nobody") == 0
    assert not store.read("anne", START).known
    assert store.read("bob", START).get("orders_30d") == 4.0
    assert store.cursor == 7


def test_a_write_that_fails_leaves_rows_and_cursor_as_they_were(store: PackedStore) -> None:
    store.load(_stored("orders", "anne", points=1.0), cursor=3, meta={})

    def write_half() -> None:
        with store.writing() as writing:
            writing.put("orders", _stored("orders", "anne", points=9.0)["orders"])
            writing.move(4)
            raise RuntimeError("the plug was pulled")

    with pytest.raises(RuntimeError, match="pulled"):
        write_half()
    assert (store.read("anne", START).get("points"), store.cursor) == (1.0, 3)


def test_a_view_whose_meaning_changed_reads_as_not_found_and_is_not_written(store: PackedStore, tmp_path: Path) -> None:
    rows = _stored("orders", "anne", points=5.0) | _stored("households", "anne", members=3.0)
    store.load(rows, cursor=3, meta={})
    now_means = spec(PROFILE.replace("spend_30d: {sum: total, half_life: 30d", "spend_30d: {sum: total, half_life: 8d"))
    other = PackedStore(tmp_path / "online.db", now_means)
    try:
        assert other.stale == ("orders",)
        read = other.read("anne", START)
        assert read.get("points") is None and read.get("members") == 3.0
        with pytest.raises(StoreError, match="features materialize"), other.writing():
            pass
        other.load(rows, cursor=9, meta={})
        assert other.stale == () and other.read("anne", START).get("points") == 5.0
        # the first store was opened for the old profile: it must neither misread nor overwrite the new rows
        assert store.read("anne", START).get("points") is None
        with pytest.raises(StoreError, match="orders"), store.writing():
            pass
    finally:
        other.close()


def test_a_store_loaded_for_a_profile_without_a_view_still_answers(store: PackedStore, tmp_path: Path) -> None:
    store.load(_stored("orders", "anne", points=5.0), cursor=3, meta={})
    shorter = PackedStore(tmp_path / "online.db", spec(PROFILE[: PROFILE.index("  households:")]))
    try:
        shorter.load(_stored("orders", "anne", points=6.0), cursor=3, meta={})
    finally:
        shorter.close()
    assert store.read("anne", START).get("points") == 6.0
    assert store.stale == ("households",)


def test_threads_read_at_once_while_another_writes(store: PackedStore) -> None:
    store.load(_stored("orders", "anne", points=0.0, lines=0.0), cursor=0, meta={})
    torn: list[Profile] = []

    def read() -> None:
        for _ in range(200):
            read = store.read("anne", START)
            if read.get("points") != read.get("lines"):
                torn.append(read)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for at in range(1, 50):
        with store.writing() as writing:
            writing.put("orders", _stored("orders", "anne", points=float(at), lines=float(at))["orders"])
    for thread in threads:
        thread.join()
    assert torn == []
    assert store.read("anne", START).get("points") == 49.0


def test_rows_are_found_for_many_customers(store: PackedStore) -> None:
    many = [f"c{at}" for at in range(1_300)]
    store.load(_stored("orders", *many, points=1.0), cursor=0, meta={})
    with store.writing() as writing:
        found = writing.rows("orders", ["nobody", *many])
        assert sorted(found.customers) == sorted(many)
        assert writing.rows("orders", ["nobody"]).customers == []


def test_a_file_that_is_no_store_is_refused_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "online.db").write_bytes(b"this is not a database, it is a text" * 100)
    with pytest.raises(StoreError, match=r"online\.db: not an online store .* delete it"):
        PackedStore(tmp_path / "online.db", spec())


def test_a_store_is_one_file_with_a_table_a_view(store: PackedStore, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "online.db")
    try:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    finally:
        connection.close()
    assert names == {"meta", "schema", "view_orders", "view_offers", "view_households"}
