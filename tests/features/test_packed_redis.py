"""What only the store in Redis does; what every store does is in test_packed.py."""

import threading

import numpy as np
import pytest
import redis

from features import packed_redis_lease
from features.log.records import microseconds
from features.packed_redis import PackedRedisStore
from features.packed_rows import StoredRows
from features.stores import StoreError, open_store
from tests.features.worlds import START, spec


def _orders(*customers: str, points: float) -> StoredRows:
    table = spec().tables[0]
    values = np.full((len(customers), len(table.columns)), np.nan)
    values[:, table.names.index("points")] = points
    times = np.full(len(customers), microseconds(START), dtype=np.int64)
    return StoredRows(customers, values, times, times)


def _none() -> StoredRows:
    times = np.empty(0, dtype=np.int64)
    return StoredRows([], np.empty((0, len(spec().tables[1].columns))), times, times)


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    made = redis.Redis.from_url(redis_url)
    made.flushall()
    return made


def test_a_customer_is_one_hash_and_old_generations_go(redis_url: str, client: redis.Redis) -> None:
    store = PackedRedisStore(redis_url, spec())
    for at in (1.0, 2.0):
        store.load({"orders": _orders("anne", points=at), "offers": _none()}, cursor=1, meta={})
    assert sorted(client.keys()) == [b"kairos", b"kairos:2:anne"]
    assert list(client.hgetall("kairos:2:anne")) == [b"orders"]
    store.close()
    client.close()


def test_every_view_of_a_load_keeps_its_own_customers_however_many_there_are(redis_url: str, client: redis.Redis) -> None:
    store = PackedRedisStore(redis_url, spec())
    everyone = [f"c{at}" for at in range(4_321)]
    some = [*everyone[::-3], "of this view alone"]
    times = np.full(len(some), microseconds(START), dtype=np.int64)
    offers = np.arange(len(some) * len(spec().tables[1].columns), dtype=np.float64).reshape(len(some), -1)
    store.load({"orders": _orders(*everyone, points=7.0), "offers": StoredRows(some, offers, times, times)}, cursor=1, meta={})
    assert (store.count("orders"), store.count("offers"), store.count("households")) == (len(everyone), len(some), 0)
    found = store.rows("offers", [*some, "c1"])
    np.testing.assert_array_equal(found.values, offers)
    assert list(found.customers) == some
    assert len(store.rows("orders", [*everyone, "of this view alone"]).customers) == len(everyone)
    store.close()
    client.close()


def test_a_writer_whose_lease_ran_out_writes_nothing(redis_url: str, client: redis.Redis) -> None:
    store = PackedRedisStore(redis_url, spec())

    def late() -> None:
        with store.writing() as writing:
            writing.put("orders", _orders("anne", points=1.0))
            client.delete("kairos:writer")

    with pytest.raises(StoreError, match="nothing was written"):
        late()
    assert store.count("orders") == 0
    store.close()
    client.close()


def test_a_writer_waits_for_the_other_one(redis_url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PackedRedisStore(redis_url, spec())

    def write() -> None:
        with store.writing() as writing:
            writing.move(writing.cursor + 1)

    threads = [threading.Thread(target=lambda: [write() for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.cursor == 80
    client.set("kairos:writer", "somebody")
    monkeypatch.setattr(packed_redis_lease, "_BUSY_S", 0.0)
    with pytest.raises(StoreError, match="another process has been writing"):
        write()
    store.close()
    client.close()


def test_a_database_that_was_emptied_reads_as_unknown_and_is_not_written(redis_url: str, client: redis.Redis) -> None:
    store = PackedRedisStore(redis_url, spec())
    store.load({"orders": _orders("anne", points=1.0)}, cursor=1, meta={})
    client.flushall()
    assert not store.read("anne", START).known
    with pytest.raises(StoreError, match="features materialize"), store.writing():
        pass
    store.close()
    client.close()


def test_a_server_that_does_not_answer_is_said() -> None:
    with pytest.raises(StoreError, match=r"redis://127\.0\.0\.1:1/0"):
        open_store("redis://127.0.0.1:1/0", spec())


def test_a_password_is_in_no_error() -> None:
    with pytest.raises(StoreError, match=r"redis://127\.0\.0\.1:1/0") as told:
        open_store("redis://kairos:secret@127.0.0.1:1/0", spec())
    assert "secret" not in str(told.value)


def test_a_writer_that_died_is_not_waited_for(redis_url: str, client: redis.Redis) -> None:
    store = PackedRedisStore(redis_url, spec())
    with client.client() as own:
        gone = own.client_id()
        own.connection.disconnect()
    client.set("kairos:writer", f"{gone}:0123456789abcdef", px=3_600_000)
    with store.writing() as writing:
        writing.move(7)
    assert store.cursor == 7
    store.close()
    client.close()
