"""The contract of Feast's online store: the same cases for Feast's own SQLite store and for ours, and the same answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import redis

from features import feast_door, offline
from features.decay import DAY_US
from features.log.records import microseconds, moment
from features.stores import Store, StoreError, open_store
from features.workspace import Workspace
from tests.features.worlds import DAY, PROFILE, START, log_of, workspace, year

# Ibis calls a method of DuckDB by its old name
pytestmark = pytest.mark.filterwarnings(r"ignore:fetch_arrow_table\(\) is deprecated:DeprecationWarning")

OURS = "{type: features.online_store.PackedOnlineStore, url: '%s'}"
FEASTS = "{type: sqlite, path: '%s'}"
OFFERS = ["offers:offers_as_of", "offers:offers_7d", "offers:since_accepted", "offers:accepted_bakery"]
HOUSEHOLDS = ["households:households_as_of", "households:age_band", "households:members"]


@dataclass(frozen=True, slots=True)
class Shops:
    """One build of one brand behind three online stores. `at` are the addresses of ours."""

    where: Workspace
    feasts: Any
    ours: Mapping[str, Any]
    at: Mapping[str, str]


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Shops]:
    folder = tmp_path_factory.mktemp("shops")
    where = workspace(folder / "brand")
    with log_of(where, year(3, records=200)) as log:
        stamp = offline.build(where, log).stamp
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    at = {"file": f"sqlite:///{folder / 'online.db'}", "redis": redis_url.replace("/0", "/1")}
    with ExitStack() as stack:
        feasts = stack.enter_context(feast_door.serving(where, stamp, FEASTS % (folder / "feast.db")))
        ours = {kind: stack.enter_context(feast_door.serving(where, stamp, OURS % url)) for kind, url in at.items()}
        yield Shops(where, feasts, ours, at)


def told(shop: Any, features: Sequence[str], customers: Sequence[str], **how: Any) -> Any:
    """All that get_online_features answers: per feature its name, values with their types, statuses, event timestamps."""
    rows = [{"customer_id": customer} for customer in customers]
    found = shop.get_online_features(features=list(features), entity_rows=rows, **how).proto
    return {
        name: (
            [(value.WhichOneof("val"), value.SerializeToString()) for value in result.values],
            list(result.statuses),
            [time.ToMicroseconds() for time in result.event_timestamps],
        )
        for name, result in zip(found.metadata.feature_names.val, found.results, strict=True)
    }


def offers(*rows: tuple[str, float | None, float | None, float], at: datetime = START) -> pd.DataFrame:
    """(customer, offers_7d, accepted_bakery, days after `at` when the row became known)."""
    return pd.DataFrame(
        {
            "customer_id": [row[0] for row in rows],
            "event_timestamp": [at + row[3] * DAY for row in rows],
            "offers_as_of": [microseconds(at + row[3] * DAY) - 1_000_001 for row in rows],
            "offers_7d": np.array([row[1] for row in rows], dtype=float),
            "since_accepted": 1.25,
            "accepted_bakery": np.array([row[2] for row in rows], dtype=float),
            "accepted_produce": 0.0,
        }
    )


def _write(*rows: tuple[str, float | None, float | None, float]) -> Callable[[Any], object]:
    return lambda shop: shop.write_to_online_store("offers", df=offers(*rows))


def _twice(*frames: Any) -> Callable[[Any], object]:
    return lambda shop: [write(shop) for write in frames]


def _materialise(shop: Any) -> None:
    shop.materialize(START - 400 * DAY, START + 800 * DAY, feature_views=["households"])


CASES: dict[str, tuple[Callable[[Any], object], list[str], list[str], dict[str, Any]]] = {
    "a row that was written": (_write(("w1", 2.0, 0.5, 1)), OFFERS, ["w1"], {}),
    "the features asked for and no others": (_write(("w2", 2.0, 0.5, 1)), OFFERS[1:2], ["w2"], {}),
    "full names": (_write(("w3", 2.0, 0.5, 1)), OFFERS, ["w3"], {"full_feature_names": True}),
    "a null": (_write(("n1", None, 0.5, 1)), OFFERS, ["n1"], {}),
    "nothing but nulls": (_write(("n2", None, None, 1)), OFFERS, ["n2"], {}),
    "a null over a value": (_twice(_write(("n3", 1.0, 0.5, 1)), _write(("n3", None, 0.5, 2))), OFFERS, ["n3"], {}),
    "a customer nobody has heard of": (lambda shop: None, OFFERS, ["nobody"], {}),
    "known and unknown, repeated, in any order": (
        _write(("m1", 1.0, 2.0, 1), ("m2", 3.0, 4.0, 2)),
        OFFERS,
        ["nobody", "m2", "m1", "m2", "nobody"],
        {},
    ),
    "ids that are not plain": (
        _write(("", 1.0, 2.0, 1), ("Jürgen 🥐:*", 3.0, 4.0, 2)),
        OFFERS,
        ["Jürgen 🥐:*", "", "Jürgen 🥐"],
        {},
    ),
    "a newer row over an older one": (_twice(_write(("l1", 1.0, 1.0, 1)), _write(("l1", 2.0, 2.0, 5))), OFFERS, ["l1"], {}),
    "the same moment again": (_twice(_write(("l2", 1.0, 1.0, 1)), _write(("l2", 2.0, 2.0, 1))), OFFERS, ["l2"], {}),
    "a customer twice in a batch": (_write(("d1", 1.0, 1.0, 1), ("d1", 2.0, 2.0, 2)), OFFERS, ["d1"], {}),
    "a customer twice at one moment": (_write(("d2", 1.0, 1.0, 1), ("d2", 2.0, 2.0, 1)), OFFERS, ["d2"], {}),
    "a push": (lambda shop: shop.push("offers_push", offers(("p1", 1.0, None, 1))), OFFERS, ["p1"], {}),
    "several views, one of which knows the customer": (
        _write(("v1", 1.0, 1.0, 1)),
        [*OFFERS, *HOUSEHOLDS],
        ["v1", "c1", "nobody"],
        {},
    ),
    "many at once": (
        _write(*((f"b{at}", float(at), None if at % 7 else 1.0, at / 64) for at in range(1_500))),
        OFFERS,
        [f"b{at}" for at in range(0, 1_600, 3)],
        {},
    ),
    "materialised": (_materialise, HOUSEHOLDS, ["c0", "c1", "c2", "stranger", "nobody"], {}),
    "materialised twice": (_twice(_materialise, _materialise), HOUSEHOLDS, ["c0", "c1", "c2", "stranger", "nobody"], {}),
}


@pytest.mark.parametrize("kind", ["file", "redis"])
@pytest.mark.parametrize("case", CASES)
def test_our_store_answers_what_feasts_own_answers(shops: Shops, case: str, kind: str) -> None:
    play, features, customers, how = CASES[case]
    answers = []
    for shop in (shops.feasts, shops.ours[kind]):
        play(shop)
        answers.append(told(shop, features, customers, **how))
    assert answers[1] == answers[0]
    assert set(answers[0]) and all(len(values) == len(customers) for values, _, _ in answers[0].values())


@pytest.mark.parametrize("kind", ["file", "redis"])
def test_a_late_row_changes_nothing_where_feasts_store_goes_back_in_time(shops: Shops, kind: str) -> None:
    answers = {}
    for name, shop in (("feast", shops.feasts), (kind, shops.ours[kind])):
        shop.write_to_online_store("offers", df=offers((f"late-{kind}", 9.0, 9.0, 30)))
        newest = told(shop, OFFERS, [f"late-{kind}"])
        shop.write_to_online_store("offers", df=offers((f"late-{kind}", 1.0, 1.0, 2)))
        answers[name] = told(shop, OFFERS, [f"late-{kind}"]) == newest
    assert answers == {"feast": False, kind: True}


@pytest.mark.parametrize("kind", ["file", "redis"])
def test_numbers_are_rounded_as_models_read_them(shops: Shops, kind: str) -> None:
    shops.ours[kind].write_to_online_store("offers", df=offers(("rounded", 0.1, 0.1, 1)))
    found = shops.ours[kind].get_online_features(features=OFFERS, entity_rows=[{"customer_id": "rounded"}]).to_dict()
    assert found["offers_7d"] == [float(np.float32(0.1))]


@pytest.mark.parametrize("kind", ["file", "redis"])
def test_times_are_told_to_the_microsecond_which_feasts_store_cuts_to_the_second(shops: Shops, kind: str) -> None:
    at = START + timedelta(microseconds=1_000_007)
    times = []
    for shop in (shops.feasts, shops.ours[kind]):
        shop.write_to_online_store("offers", df=offers((f"time-{kind}", 1.0, 1.0, 0), at=at))
        times.append(told(shop, OFFERS[1:2], [f"time-{kind}"])["offers_7d"][2])
    assert times == [[microseconds(at) - 7], [microseconds(at)]]


@pytest.fixture
def own(tmp_path: Path, address: str) -> Iterator[tuple[Workspace, Any, Store]]:
    """A brand of its own: its workspace, Feast over our store, and the store as the server opens it."""
    where = workspace(tmp_path / "brand", PROFILE.replace("key: household", "key: household\n    ttl: 90d"))
    with log_of(where, year(4, records=200)) as log:
        stamp = offline.build(where, log).stamp
    with feast_door.serving(where, stamp, OURS % address) as shop:
        store = open_store(address, where.profile)
        yield where, shop, store
        store.close()


def _materialised(where: Workspace, shop: Any) -> None:
    shop.materialize(START - 400 * DAY, START + 800 * DAY)


def test_the_reader_without_feast_reads_what_feast_answers_aged_to_now(own: tuple[Workspace, Any, Store]) -> None:
    where, shop, store = own
    _materialised(where, shop)
    spec, now = where.profile, START + 320 * DAY
    customers = [*(f"c{at}" for at in range(12)), "stranger", "nobody"]
    features = [f"{table.name}:{name}" for table in spec.tables for name in (table.as_of, *table.names)]
    found = shop.get_online_features(features=features, entity_rows=[{"customer_id": who} for who in customers]).to_dict()
    values, days = np.full((len(customers), len(spec.index)), np.nan), np.zeros((len(customers), len(spec.index)))
    for table in spec.tables:
        as_of = np.array([np.nan if at is None else at for at in found[table.as_of]])
        for name in table.names:
            position = spec.index.positions[name]
            values[:, position] = [np.nan if value is None else value for value in found[name]]
            days[:, position] = np.nan_to_num((microseconds(now) - as_of) / DAY_US)
    # Feast answers rows past their ttl (the households are of 1 February); ageing drops them, as the reader does
    aged = spec.ageing.aged(values, days, microseconds(now))
    read = [store.read(who, now) for who in customers]
    np.testing.assert_allclose([profile.values for profile in read], aged, rtol=1e-6)
    assert sum(profile.known for profile in read) == 12
    assert store.read("c0", datetime(2017, 4, 1, tzinfo=UTC)).get("members") == 3.0


def test_rows_of_feasts_interface_and_of_the_bulk_load_are_the_same_bytes(own: tuple[Workspace, Any, Store]) -> None:
    where, shop, store = own
    _materialised(where, shop)
    customers = [f"c{at}" for at in range(12)]
    written = {table.name: store.rows(table.name, customers) for table in where.profile.tables}
    with log_of(where) as log:
        offline.materialize(where, log)
    loaded = open_store(where.online_url, where.profile)
    for table in where.profile.tables:
        form = _forms(store)[table.name]
        assert dict(zip(written[table.name].customers, form.pack(written[table.name]), strict=True)) == dict(
            zip((again := loaded.rows(table.name, customers)).customers, form.pack(again), strict=True)
        )
        assert written[table.name].customers
    loaded.close()


def _forms(store: Any) -> Any:
    return store._views.forms


def test_what_the_projector_folds_feast_answers(own: tuple[Workspace, Any, Store]) -> None:
    from features.projector import Projector

    where, shop, store = own
    with log_of(where) as log:
        assert Projector(log, store, where.profile, where.brand.time_zone).run_once() == 200
    folded = told(shop, ["orders:points", "orders:orders_30d"], ["c0", "c1"])
    before = store.cursor
    _materialised(where, shop)
    again = told(shop, ["orders:points", "orders:orders_30d"], ["c0", "c1"])
    assert folded["points"][2] == again["points"][2] and folded["points"][2][0] > 0
    assert folded["points"][1] == again["points"][1]
    assert store.cursor == before


def test_a_view_whose_meaning_changed_is_refused_until_it_is_built_again(
    own: tuple[Workspace, Any, Store], tmp_path: Path
) -> None:
    where, shop, store = own
    text = (where.path / "profile.yaml").read_text(encoding="utf-8")
    changed = workspace(where.path, text.replace("half_life: 7d", "half_life: 9d"))
    shop.write_to_online_store("offers", df=offers(("anne", 1.0, 1.0, 1)))
    with log_of(changed) as log:
        stamp = offline.build(changed, log).stamp
    with feast_door.serving(changed, stamp, OURS % _address(store)) as anew:
        # nothing of the log was in the store, so that applying made the view anew
        assert told(anew, OFFERS, ["anne"])["offers_7d"][1] == told(anew, OFFERS, ["nobody"])["offers_7d"][1]
        anew.write_to_online_store("offers", df=offers(("anne", 1.0, 1.0, 1)))
        with pytest.raises(StoreError, match="is not that of"):
            shop.write_to_online_store("offers", df=offers(("anne", 2.0, 1.0, 5)))


def _address(store: Any) -> str:
    return str(store._url) if hasattr(store, "_url") else f"sqlite:///{store._path}"


def test_applying_leaves_a_store_that_follows_the_log_as_it_is(own: tuple[Workspace, Any, Store]) -> None:
    _, shop, store = own
    shop.write_to_online_store("offers", df=offers(("anne", 1.0, 1.0, 1)))
    with store.writing() as writing:
        writing.move(7)
    shop.apply([shop.get_entity("customer")], objects_to_delete=[shop.get_feature_view("offers")], partial=False)
    assert store.rows("offers", ["anne"]).customers == ["anne"]


def test_a_view_that_is_deleted_is_forgotten(own: tuple[Workspace, Any, Store]) -> None:
    _, shop, store = own
    shop.write_to_online_store("offers", df=offers(("anne", 1.0, 1.0, 1)))
    shop.apply([shop.get_entity("customer")], objects_to_delete=[shop.get_feature_view("offers")], partial=False)
    assert store.rows("offers", ["anne"]).customers == []


def test_tearing_down_empties_the_store_for_whoever_has_it_open(own: tuple[Workspace, Any, Store]) -> None:
    where, shop, store = own
    _materialised(where, shop)
    assert store.read("c0", START + 300 * DAY).known
    shop.teardown()
    assert not store.read("c0", START + 300 * DAY).known


def test_a_row_that_does_not_say_what_it_is_as_of_is_refused_whole(own: tuple[Workspace, Any, Store]) -> None:
    _, shop, store = own
    frame = offers(("anne", 1.0, 1.0, 1), ("bob", 1.0, 1.0, 1))
    frame["offers_as_of"] = pd.array([1, None], dtype="Int64")
    with pytest.raises(StoreError, match="'bob': offers_as_of is missing"):
        shop.write_to_online_store("offers", df=frame)
    assert store.rows("offers", ["anne", "bob"]).customers == []


def test_times_without_a_zone_are_utc(own: tuple[Workspace, Any, Store]) -> None:
    _, shop, store = own
    frame = offers(("anne", 1.0, 1.0, 1))
    frame["event_timestamp"] = frame["event_timestamp"].dt.tz_localize(None)
    shop.write_to_online_store("offers", df=frame)
    assert moment(int(store.rows("offers", ["anne"]).known_us[0])) == START + timedelta(days=1)
