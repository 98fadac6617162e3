import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import redis

from decisioning.customer import Profile
from features.log.records import microseconds
from features.packed_rows import StoredRows
from features.stores import Store, StoreError, open_store
from tests import redis_server
from tests.features.worlds import DAY, PROFILE, START, spec


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    made = open_store(address, spec())
    yield made
    made.close()


def _stored(view: str, *customers: str, at: int = microseconds(START), **known: float) -> dict[str, StoredRows]:
    table = next(table for table in spec().tables if table.name == view)
    values = np.full((len(customers), len(table.columns)), np.nan)
    for name, value in known.items():
        values[:, table.names.index(name)] = value
    times = np.full(len(customers), at, dtype=np.int64)
    return {view: StoredRows(customers, values, times, times)}


def _same(one: Profile, other: Profile) -> bool:
    return np.array_equal(one.values, other.values, equal_nan=True) and np.array_equal(one.present, other.present)


def test_a_profile_is_read_aged_to_now(store: Store) -> None:
    store.load(_stored("orders", "anne", orders_30d=4.0, since_order=1.0, points=600.0), cursor=7, meta={})
    read = store.read("anne", START + 30 * DAY)
    assert (read.get("orders_30d"), read.get("since_order"), read.get("points"), read.get("tier")) == (2.0, 31.0, 600.0, "gold")
    assert read.get("spend_30d") is None and read.get("age_band") is None
    assert store.cursor == 7


def test_a_customer_nobody_has_heard_of_has_an_empty_profile(store: Store) -> None:
    read = store.read("nobody", START)
    assert not read.known
    assert _same(read, Profile.empty(spec().index))


def test_third_party_data_are_not_there_before_they_take_effect(store: Store) -> None:
    store.load(_stored("households", "anne", age_band=1.0, members=2.0), cursor=0, meta={})
    assert not store.read("anne", START - timedelta(microseconds=1)).known
    assert store.read("anne", START).get("age_band") == "25-34"
    assert store.read("anne", START + 900 * DAY).get("members") == 2.0


def test_a_clock_that_is_behind_reads_a_row_as_of_its_moment(store: Store) -> None:
    store.load(_stored("orders", "anne", orders_30d=4.0, since_order=0.0), cursor=0, meta={})
    assert _same(store.read("anne", START - DAY), store.read("anne", START))


def test_loading_replaces_everything(store: Store) -> None:
    store.load(_stored("orders", "anne", "bob", points=1.0), cursor=3, meta={"build": "one"})
    store.load(_stored("orders", "bob", points=2.0), cursor=5, meta={"build": "two"})
    assert not store.read("anne", START).known
    assert (store.count("orders"), store.cursor, store.meta("build")) == (1, 5, "two")


def test_a_deleted_customer_is_in_no_view_and_the_others_stay(store: Store) -> None:
    rows = _stored("orders", "anne", "bob", orders_30d=4.0) | _stored("households", "anne", members=2.0)
    store.load(rows, cursor=7, meta={})
    with store.changing() as writing:
        assert writing.delete("anne") == 2
        assert writing.delete("anne") == writing.delete("nobody") == 0
    assert not store.read("anne", START).known
    assert store.read("bob", START).get("orders_30d") == 4.0
    assert store.cursor == 7


def test_deleting_reaches_what_an_interrupted_load_left_in_redis(tmp_path: Path) -> None:
    with redis_server.running(tmp_path) as address:
        store = open_store(address, spec())
        store.load(_stored("orders", "anne", orders_30d=4.0), cursor=7, meta={})
        client = redis.Redis.from_url(address)
        left = b"kairos:%d:anne" % client.hincrby("kairos", "loads", 1)
        client.hset(left, "orders", b"half a load")
        with store.changing() as writing:
            assert writing.delete("anne") == 1
        assert client.exists(left) == 0
        client.close()
        store.close()


def test_a_write_that_fails_leaves_rows_and_cursor_as_they_were(store: Store) -> None:
    store.load(_stored("orders", "anne", points=1.0), cursor=3, meta={})

    def write_half() -> None:
        with store.writing() as writing:
            writing.put("orders", _stored("orders", "anne", points=9.0)["orders"])
            writing.move(4)
            raise RuntimeError("the plug was pulled")

    with pytest.raises(RuntimeError, match="pulled"):
        write_half()
    assert (store.read("anne", START).get("points"), store.cursor) == (1.0, 3)


def test_a_view_whose_meaning_changed_reads_as_not_found_and_is_not_written(store: Store, address: str) -> None:
    rows = _stored("orders", "anne", points=5.0) | _stored("households", "anne", members=3.0)
    store.load(rows, cursor=3, meta={})
    now_means = spec(PROFILE.replace("spend_30d: {sum: total, half_life: 30d", "spend_30d: {sum: total, half_life: 8d"))
    other = open_store(address, now_means)
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


def test_a_store_loaded_for_a_profile_without_a_view_still_answers(store: Store, address: str) -> None:
    store.load(_stored("orders", "anne", points=5.0), cursor=3, meta={})
    shorter = open_store(address, spec(PROFILE[: PROFILE.index("  households:")]))
    try:
        shorter.load(_stored("orders", "anne", points=6.0), cursor=3, meta={})
    finally:
        shorter.close()
    assert store.read("anne", START).get("points") == 6.0
    assert store.stale == ("households",)


def test_threads_read_at_once_while_another_writes(store: Store) -> None:
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


def test_rows_are_found_for_many_customers(store: Store) -> None:
    many = [f"c{at}" for at in range(1_300)]
    store.load(_stored("orders", *many, points=1.0), cursor=0, meta={})
    with store.writing() as writing:
        found = writing.rows("orders", ["nobody", *many])
        assert sorted(found.customers) == sorted(many)
        assert writing.rows("orders", ["nobody"]).customers == []


def test_rows_are_told_with_their_times_and_none_of_a_stale_view(store: Store, address: str) -> None:
    store.load(_stored("orders", "anne", points=5.0), cursor=3, meta={})
    rows = store.rows("orders", ["bob", "anne"])
    assert (rows.customers, rows.known_us.tolist()) == (["anne"], [microseconds(START)])
    other = open_store(address, spec(PROFILE.replace("half_life: 30d, unit: USD", "half_life: 9d, unit: USD")))
    try:
        assert other.rows("orders", ["anne"]).customers == []
    finally:
        other.close()


def test_what_a_transaction_put_it_reads_and_nobody_else(store: Store, address: str) -> None:
    other = open_store(address, spec())
    with store.writing() as writing:
        writing.put("orders", _stored("orders", "anne", points=2.0)["orders"])
        writing.move(9)
        assert (writing.rows("orders", ["anne", "bob"]).customers, writing.cursor) == (["anne"], 9)
        assert not other.read("anne", START).known
    assert other.read("anne", START).get("points") == 2.0
    other.close()


@pytest.mark.parametrize(("days", "there"), [(0, True), (90, True), (91, False)])
def test_a_row_past_its_ttl_is_not_read(address: str, days: int, there: bool) -> None:
    store = open_store(address, spec(PROFILE.replace("key: household", "key: household\n    ttl: 90d")))
    try:
        store.load(_stored("households", "anne", members=2.0), cursor=0, meta={})
        read = store.read("anne", START + days * DAY)
        assert read.get("members") == (2.0 if there else None)
    finally:
        store.close()


def test_a_reader_never_sees_half_a_load(store: Store, address: str) -> None:
    many = [f"c{at}" for at in range(3_000)]
    rows = [_stored("orders", *many, points=at) | _stored("offers", *many, offers_7d=at) for at in (0.0, 1.0)]
    store.load(rows[0], cursor=0, meta={})
    seen: set[tuple[object, object]] = set()
    done = threading.Event()

    def read() -> None:
        reader = open_store(address, spec())
        while not done.is_set():
            profile = reader.read("c2999", START)
            seen.add((profile.get("points"), profile.get("offers_7d")))
        reader.close()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for at in (1, 0, 1, 0, 1):
        store.load(rows[at], cursor=at, meta={})
    done.set()
    for thread in threads:
        thread.join()
    assert seen <= {(0.0, 0.0), (1.0, 1.0)}
    assert store.read("c0", START).get("points") == 1.0


def test_an_interrupted_load_leaves_the_rows_as_they_were(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.load(_stored("orders", "anne", points=1.0), cursor=3, meta={})

    class Endless(dict[str, StoredRows]):
        def items(self) -> Iterator[tuple[str, StoredRows]]:  # type: ignore[override]
            yield from _stored("orders", "anne", "bob", points=9.0).items()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.load(Endless(), cursor=4, meta={})
    assert (store.read("anne", START).get("points"), store.cursor, store.count("orders")) == (1.0, 3, 1)
    store.load(_stored("orders", "bob", points=2.0), cursor=5, meta={})
    assert (store.count("orders"), store.read("bob", START).get("points")) == (1, 2.0)


def test_stale_views_are_renewed_empty_unless_the_log_is_in_them(store: Store, address: str) -> None:
    rows = _stored("orders", "anne", points=5.0) | _stored("households", "anne", members=3.0)
    store.load(rows, cursor=0, meta={})
    other = open_store(address, spec(PROFILE.replace("half_life: 30d, unit: USD", "half_life: 9d, unit: USD")))
    try:
        other.renew()
        read = other.read("anne", START)
        assert (other.stale, read.get("points"), read.get("members")) == ((), None, 3.0)
        other.renew(["households"])
        assert not other.read("anne", START).known
        store.load(rows, cursor=7, meta={})
        with pytest.raises(StoreError, match="features materialize"):
            other.renew()
        assert store.read("anne", START).get("points") == 5.0
    finally:
        other.close()


@pytest.mark.parametrize("url", ["online.db", "postgresql://localhost/online", ""])
def test_an_address_of_no_store_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="no address of an online store"):
        open_store(url, spec())
