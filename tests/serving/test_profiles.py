"""The server's profiles: read in one trip, followed by themselves, honest about what they lack."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.following import AtOnce, Follower, Lag
from features.log import Log, LogUnavailable
from features.projector import Projector
from features.stores import Store, open_store
from serving import profiles as module
from serving.ports import ProfilesUnavailable
from serving.profiles import PackedProfiles
from tests import corner, redis_server
from tests.features.worlds import order
from tests.serving.conftest import Shop

NOW = datetime(2018, 1, 1, tzinfo=UTC)
BOOK = corner.playbook()


class Slow:
    """A follower that gets as far as the test says."""

    def __init__(self, log: Log, *, folded: int = 0, late: bool = False) -> None:
        self._log, self.reached, self.is_late = log, folded, late
        self.waited: list[int] = []

    running = AtOnce.running

    def wake(self) -> int:
        return self._log.last_sequence()

    def folded(self, sequence: int, *, within_s: float) -> bool:
        self.waited.append(sequence)
        return sequence <= self.reached

    def late(self) -> bool:
        return self.is_late

    def lag(self) -> Lag:
        return Lag(behind=self._log.last_sequence() - self.reached, since=NOW, late=self.is_late)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = corner.open_log(tmp_path, BOOK)
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(f"sqlite:///{tmp_path / 'online.db'}", BOOK.profile)
    yield made
    made.close()


def follower(log: Log, store: Store) -> Follower:
    return Follower(log, store, Projector(log, store, BOOK.profile, BOOK.brand.time_zone), now=lambda: NOW)


def test_profiles_whose_store_went_away_are_unavailable_and_health_can_say_why(tmp_path: Path, log: Log) -> None:
    with redis_server.running(tmp_path) as url:
        store = open_store(url, BOOK.profile)
        profiles = PackedProfiles(store, follower(log, store))
        assert not profiles.read("anna", NOW).known
    with pytest.raises(ProfilesUnavailable, match="redis://"):
        profiles.read("anna", NOW)
    with profiles.following():
        profiles.heard(["anna"])  # what was acknowledged stays so
        while (lag := profiles.lag()).cause is None:
            pass
    assert (lag.part, lag.since) == ("online store", NOW)
    assert "redis://" in lag.cause
    store.close()


def test_what_this_server_heard_of_a_customer_is_in_their_next_profile(log: Log, store: Store) -> None:
    profiles = PackedProfiles(store, follower(log, store))
    with profiles.following():
        for at in range(1, 30):
            log.append([order(f"m{at}", "anna", NOW, total=1.0)])
            profiles.heard(["anna"])
            while not profiles.caught_up(["anna"]):
                pass  # a busy machine may take longer than a decision waits
            assert profiles.read("anna", NOW).get("points") == at


def test_only_who_was_heard_of_is_waited_for_and_only_until_it_is_there(log: Log, store: Store) -> None:
    slow = Slow(log)
    profiles = PackedProfiles(store, slow)
    log.append([order("m1", "anna", NOW)])
    profiles.heard(["anna"])
    assert profiles.caught_up(["bob"]) and slow.waited == []
    assert not profiles.caught_up(["anna"])
    slow.reached = 1
    assert profiles.caught_up(["anna"]) and profiles.caught_up(["anna"])
    assert slow.waited == [1, 1]


def test_who_waits_is_forgotten_once_it_is_there(log: Log, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AWAITED", 2)
    slow = Slow(log)
    profiles = PackedProfiles(store, slow)
    for at, reached in enumerate((0, 0, 2, 2), start=1):
        log.append([order(f"m{at}", f"c{at}", NOW)])
        slow.reached = reached
        profiles.heard([f"c{at}"])
    assert set(profiles._awaited) == {"c3", "c4"}


def test_a_log_that_is_away_after_it_acknowledged_takes_nothing_back(log: Log, store: Store) -> None:
    class Away(Slow):
        def wake(self) -> int:
            raise LogUnavailable("it moved house")

    profiles = PackedProfiles(store, Away(log))
    profiles.heard(["anna"])
    assert profiles.caught_up(["anna"])


def test_the_population_is_that_of_the_last_load(log: Log, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POPULATION_S", 0.0)
    profiles = PackedProfiles(store, Slow(log))
    assert profiles.population() == {}
    store.load({}, cursor=0, meta={"population": '{"hour_9": 0.5}'})
    assert profiles.population() == {"hour_9": 0.5}


@pytest.mark.parametrize(
    ("folded", "late", "reasons"), [(9, False, []), (0, False, ["profile_behind"]), (9, True, ["profile_behind"])]
)
def test_a_decision_says_when_its_profile_lacks_what_was_heard(
    shop: Shop, folded: int, late: bool, reasons: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.ports.profiles, "_follower", Slow(shop.log, folded=folded, late=late))
    shop.order()
    assert shop.decide(touchpoint="phone")["reasons"] == reasons


@pytest.mark.parametrize(
    ("lag", "status"),
    [
        (Lag(behind=0), "empty"),
        (Lag(behind=3, since=NOW), "empty"),
        (Lag(behind=3, since=NOW, late=True), "behind"),
        (Lag(behind=0, since=NOW, part="online store", cause="StoreError: the disk is full"), "behind"),
    ],
)
def test_health_tells_how_far_profiles_are_behind_and_calls_it_a_fault_when_it_lasts(
    shop: Shop, lag: Lag, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.ports.profiles, "lag", lambda: lag)
    told = shop.client.get("/health/ready").json()["parts"]["profiles"]
    assert told["status"] == status
    assert told["behind"] == lag.behind
    assert told["since"] == (None if lag.since is None else "2018-01-01T00:00:00Z")
    assert (told.get("part"), told.get("cause")) == (lag.part, lag.cause)
