"""The profiles follow the log by themselves: one follower folds, another takes over when it ends, and the end is the same."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from features import following
from features.following import AtOnce, Follower
from features.log import Log, LogUnavailable
from features.projector import Projector
from features.stores import Store, StoreError, open_store
from tests.features.worlds import DAY, START, ZONE, consent, log_of, order, spec, workspace, year

ROOT = Path(__file__).parents[2]
NOW = START + 400 * DAY

PROCESS = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from features import packed, packed_redis, projector
from features.following import Follower
from features.log import Log
from features.stores import open_store
from features.schema import ProfileSpec
from features.yaml_nodes import decode
url, address, dies_at = sys.argv[1], sys.argv[2], int(sys.argv[3])
profile = Path(url.removeprefix("sqlite:///")).parents[1] / "profile.yaml"
spec = decode(profile.read_text(), ProfileSpec, file="profile.yaml")
projector.BATCH = 7
for writing in (packed.Writing, packed_redis.RedisWriting):
    def move(self, cursor, really=writing.move):
        if 0 < dies_at <= cursor:
            os.kill(os.getpid(), signal.SIGKILL)  # rows are put, the transaction is open, the lease is held
        really(self, cursor)
    writing.move = move
log, store = Log(url), open_store(address, spec)
follows = projector.Projector(log, store, spec, "America/New_York")
with Follower(log, store, follows, now=lambda: datetime.now(UTC)).running():
    print("follows", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with log_of(workspace(tmp_path / "brand")) as made:
        yield made


@pytest.fixture
def log_url(tmp_path: Path) -> str:
    return workspace(tmp_path / "brand").log_url


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    made = open_store(address, spec())
    yield made
    made.close()


def follower_of(log: Log, store: Store) -> Follower:
    return Follower(log, store, Projector(log, store, spec(), ZONE), now=lambda: NOW)


@contextmanager
def processes(log_url: str, address: str, *, dying_at: Sequence[int]) -> Iterator[list["subprocess.Popen[str]"]]:
    """Followers in processes of their own, once all follow; each is killed while it folds its record of `dying_at`."""
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with ExitStack() as stack:
        running = []
        for dies_at in dying_at:
            command = [sys.executable, "-c", PROCESS, log_url, address, str(dies_at)]
            one = subprocess.Popen(command, cwd=ROOT, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            running.append(stack.enter_context(one))
            stack.callback(one.kill)
        for one in running:
            assert one.stdout is not None and one.stdout.readline() == "follows\n"
        yield running


def until(true: Callable[[], bool]) -> None:
    """Wait for what must come; how long it takes is for the benchmarks to say."""
    for _ in range(12_000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def points(store: Store, customer: str = "anne") -> float | None:
    return store.read(customer, NOW).get("points")


def assert_same_profiles(store: Store, log: Log, tmp_path: Path) -> None:
    """The store holds what one projector makes of the whole log at once."""
    alone = open_store(f"sqlite:///{tmp_path / 'alone.db'}", spec())
    Projector(log, alone, spec(), ZONE).run_once()
    assert store.cursor == alone.cursor
    for at in range(12):
        one, two = (some.read(f"c{at}", NOW) for some in (store, alone))
        np.testing.assert_array_equal(one.present, two.present)
        np.testing.assert_allclose(one.values, two.values, rtol=1e-5)
    alone.close()


def test_what_is_appended_comes_into_the_profile_by_itself(log: Log, store: Store) -> None:
    log.append([order("a", "anne", START, total=1.0)])
    with follower_of(log, store).running():
        assert points(store) == 1.0  # a start waits for what is there
        log.append([order("b", "anne", START, total=2.0)])
        until(lambda: points(store) == 3.0)


def test_whoever_appended_can_wait_for_it(log: Log, store: Store) -> None:
    follower = follower_of(log, store)
    with follower.running():
        for at in range(20):
            log.append([order(f"m{at}", "anne", START, total=1.0)])
            assert follower.folded(follower.wake(), within_s=30.0)
            assert points(store) == at + 1.0
        assert follower.lag().behind == 0
        assert not follower.folded(10_000, within_s=0)


def test_records_that_no_profile_is_made_of_leave_nothing_behind(log: Log, store: Store) -> None:
    follower = follower_of(log, store)
    with follower.running():
        log.append([consent("c", "anne", START, purpose="personalisation", granted=True)])
        assert follower.folded(follower.wake(), within_s=30.0)
        assert (follower.lag().behind, follower.lag().since, store.cursor) == (0, None, 0)


def test_its_thread_ends_with_it_in_the_middle_of_a_long_way(log: Log, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.projector.BATCH", 1)
    monkeypatch.setattr("features.following._AT_START_S", 0.0)
    log.append(year(1, records=300))
    before, follower = threading.active_count(), follower_of(log, store)
    with follower.running():
        until(lambda: store.cursor > 0)
    assert threading.active_count() == before
    assert 0 < store.cursor < 300
    with follower.running():  # and goes on where it was
        assert follower.folded(300, within_s=60.0)


def test_who_is_not_followed_is_not_waited_for(log: Log, store: Store) -> None:
    log.append([order("a", "anne", START)])
    assert not follower_of(log, store).folded(1, within_s=3600.0)


def test_one_holds_the_lease_and_the_next_takes_it_when_it_is_let_go(store: Store, address: str) -> None:
    second = open_store(address, spec())
    one, two = store.lease(), second.lease()
    assert (one.held(), two.held(), one.held()) == (True, False, True)
    one.release()
    assert (two.held(), one.held()) == (True, False)
    two.release()
    two.release()
    assert one.held()
    one.release()
    second.close()


def test_a_lease_ends_at_once_with_the_process_that_held_it(log: Log, log_url: str, store: Store, address: str) -> None:
    lease = store.lease()
    with processes(log_url, address, dying_at=[0]) as [holder]:
        assert not lease.held()
        holder.kill()
        holder.wait()
        until(lease.held)
    lease.release()


def test_a_lease_file_that_was_deleted_keeps_nobody_out_and_lets_nobody_in_twice(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'online.db'}", spec())
    one, two = store.lease(), store.lease()
    assert one.held()
    (tmp_path / "online.db-lease").unlink()
    assert two.held()
    assert not one.held()
    one.release()
    two.release()
    store.close()


def test_a_follower_killed_while_it_folds_is_followed_by_another_and_the_end_is_the_same(
    log: Log, log_url: str, store: Store, address: str, tmp_path: Path
) -> None:
    records = year(3, records=200)
    with processes(log_url, address, dying_at=[50]) as [first], follower_of(log, store).running():
        log.append(records[:100])
        assert first.wait(60) == -signal.SIGKILL
        log.append(records[100:])
        until(lambda: store.cursor == 200)
    assert_same_profiles(store, log, tmp_path)


def test_followers_killed_one_after_the_other_end_where_one_alone_does(
    log: Log, log_url: str, store: Store, address: str, tmp_path: Path
) -> None:
    records = year(4, records=240)
    with processes(log_url, address, dying_at=[0, 100, 150]) as running:
        for at in range(0, 240, 4):
            log.append(records[at : at + 4])
            if at == 60:
                running[0].kill()
        until(lambda: running[1].poll() is not None or running[2].poll() is not None)
        for one in running[1:]:
            one.kill()
        with follower_of(log, store).running():
            until(lambda: store.cursor == 240)
    assert_same_profiles(store, log, tmp_path)


def test_where_the_holder_of_the_lease_stands_still_another_stands_in(
    log: Log, log_url: str, store: Store, address: str, tmp_path: Path
) -> None:
    with processes(log_url, address, dying_at=[0]) as [holder]:
        holder.send_signal(signal.SIGSTOP)
        with follower_of(log, store).running():
            records = year(5, records=60)
            log.append(records[:40])
            until(lambda: store.cursor == 40)
            holder.send_signal(signal.SIGCONT)
            log.append(records[40:])
            until(lambda: store.cursor == 60)
    assert_same_profiles(store, log, tmp_path)


def test_a_store_that_is_loaded_anew_meanwhile_is_followed_on(log: Log, store: Store, address: str) -> None:
    log.append([order("a", "anne", START, total=1.0), order("b", "anne", START, total=2.0)])
    other = open_store(address, spec())
    empty = {view: other.rows(view, []) for view in ("orders", "offers")}
    with follower_of(log, store).running():
        until(lambda: points(store) == 3.0)
        other.load(empty, cursor=0, meta={})  # a load whose process ended before it folded what came after its tables
        until(lambda: points(store) == 3.0 and store.cursor == 2)
    other.close()


def test_who_gets_on_is_not_late_however_long_there_is_always_something_new(
    log: Log, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 0.0
    monkeypatch.setattr(following, "time", SimpleNamespace(monotonic=lambda: clock))
    follower, lease = follower_of(log, store), store.lease()
    follower._ended.clear()  # as while it runs
    fold = follower._projector.run_once

    def fold_while_more_comes(**asked: Any) -> int:
        folded = fold(**asked)
        log.append([order(f"after {clock}", "anne", START, total=1.0)])
        return folded

    monkeypatch.setattr(follower._projector, "run_once", fold_while_more_comes)
    log.append([order("first", "anne", START, total=1.0)])
    for _ in range(10):
        assert follower._look(lease)
        assert not follower.late()
        clock += 0.6 * following.LATE_S
    monkeypatch.setattr(follower._projector, "run_once", lambda **_: 0)
    for _ in range(3):
        follower._look(lease)
        clock += 0.6 * following.LATE_S
    assert follower.late()
    lease.release()


def test_a_fault_is_told_with_its_part_and_since_when_and_ends_by_itself(
    log: Log, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = follower_of(log, store)

    def failing(*_: object, **__: object) -> int:
        raise StoreError("the disk is full")

    with follower.running():
        with monkeypatch.context() as patched:
            patched.setattr(follower._projector, "run_once", failing)
            log.append([order("a", "anne", START, total=5.0)])
            until(lambda: follower.lag().cause is not None)
            lag = follower.lag()
            assert (lag.behind, lag.since, lag.part, lag.cause) == (1, NOW, "online store", "StoreError: the disk is full")
            assert not follower.folded(1, within_s=3600.0)
            until(follower.late)
        until(lambda: points(store) == 5.0)
        until(lambda: follower.lag().cause is None)
        until(lambda: not follower.late())


def test_a_log_that_is_away_is_told_as_such(log: Log, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = follower_of(log, store)

    def away() -> int:
        raise LogUnavailable("it moved house")

    with monkeypatch.context() as patched:
        patched.setattr(log, "last_sequence", away)
        with follower.running():
            until(lambda: follower._lag.part == "log")
            with pytest.raises(LogUnavailable):
                follower.wake()


def test_without_a_thread_whoever_wakes_it_folds(log: Log, store: Store) -> None:
    follower = AtOnce(Projector(log, store, spec(), ZONE))
    log.append([order("a", "anne", START, total=5.0)])
    with follower.running():
        assert follower.folded(follower.wake(), within_s=0)
    assert (points(store), follower.late(), follower.lag().behind) == (5.0, False, 0)
