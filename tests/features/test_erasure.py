"""Erasing a customer from the whole workspace: log, online store, offline tables."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from features import builds, erasure, offline, quarantine, under_way
from features.erasure import Erasure
from features.log import Log, Pending, Record, identity_record
from features.packed import PackedStore
from features.projector import Projector
from features.workspace import Workspace
from tests.features.worlds import DAY, START, labels, log_of, order, workspace, year

LATER = START + 400 * DAY


@dataclass
class House:
    """A workspace with a history of a year, built and loaded, and something newer."""

    place: Workspace
    log: Log
    store: PackedStore
    projector: Projector

    @property
    def offline(self) -> Path:
        return self.place.data / "offline"

    def erase(self, customer: str) -> Erasure | None:
        return erasure.erase(
            customer, log=self.log, store=self.store, projector=self.projector, data=self.offline.parent, at=LATER
        )

    def known_offline(self) -> set[str]:
        files = self.offline.rglob("*.parquet")
        return {who for file in files for who in pl.read_parquet(file)["customer_id"]}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    place = workspace(tmp_path / "brand")
    with log_of(place, year(1)) as log:
        offline.build(place, log)
        offline.materialize(place, log)
        log.append([order("late", "c0", LATER), order("other", "c1", LATER)])
        store = PackedStore(place.data / offline.ONLINE, place.profile)
        yield House(place, log, store, Projector(log, store, place.profile, place.brand.time_zone))
        store.close()


def test_an_erased_customer_is_in_no_table(house: House) -> None:
    offline.build(house.place, house.log)  # a second build: the one before it is kept
    assert "c0" in house.known_offline()
    erased = house.erase("c0")
    assert erased is not None and erased.log is not None
    assert erased.online == 3 and erased.offline > 3
    assert house.known_offline() == {f"c{at}" for at in range(1, 12)} | {"stranger"}
    assert not house.store.read("c0", LATER).known
    assert house.store.cursor == erased.log.sequence
    assert house.log.verify().whole


def test_the_others_are_as_they_were_online_and_in_training(house: House) -> None:
    moments = labels(["c1", "c5"], START + 200 * DAY, START + 300 * DAY)
    before = offline.training_frame(house.place, moments), house.store.read("c5", LATER)
    house.erase("c0")
    after = offline.training_frame(house.place, moments), house.store.read("c5", LATER)
    assert after[0].equals(before[0])
    assert (after[1].values[after[1].present] == before[1].values[before[1].present]).all()
    assert house.store.read("c1", LATER).get("since_order") == 0.0  # what came last was folded in


def test_the_erased_customer_has_no_features_in_training(house: House) -> None:
    house.erase("c0")
    frame = offline.training_frame(house.place, labels(["c0"], START + 300 * DAY))
    assert frame.drop("customer_id", "at").null_count().row(0) == (1,) * (frame.width - 2)


def test_to_load_the_online_store_again_does_not_bring_them_back(house: House) -> None:
    house.erase("c0")
    offline.materialize(house.place, house.log)
    assert not house.store.read("c0", LATER).known
    offline.build(house.place, house.log)
    offline.materialize(house.place, house.log)
    read = house.store.read("c0", LATER)
    assert read.get("orders_30d") is None
    assert read.get("age_band") == "19-24"  # the brand's own file still has them; the receipt says so
    assert "third-party files" in erasure.REMAINS


def test_a_projector_that_read_before_the_erasure_writes_nothing_after_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Projector(house.log, house.store, house.place.profile, house.place.brand.time_zone)
    read = slow._next

    def interrupted(cursor: int) -> list[object]:
        found = read(cursor)
        if found and house.log.erased() == 0:
            house.erase("c0")
        return found  # type: ignore[return-value]

    monkeypatch.setattr(slow, "_next", interrupted)
    slow.run_once()
    assert not house.store.read("c0", LATER).known
    assert house.store.read("c1", LATER).get("since_order") == 0.0


def test_an_erasure_that_was_interrupted_is_finished_by_the_next(house: House) -> None:
    house.log.erase("c0", at=LATER)  # and the process was killed
    erased = house.erase("c0")
    assert erased is not None
    assert (erased.log, erased.online) == (None, 3)
    assert erased.offline > 0
    assert "c0" not in house.known_offline()
    assert house.erase("c0") is None
    assert house.erase("nobody") is None


def linked(source: str, target: str) -> Record:
    return identity_record(
        "alias", source=source, target=target, message_id=f"{source}>{target}", event_time=LATER, known_time=LATER
    )


def test_a_customer_is_erased_under_all_their_ids_by_any_of_them(house: House, tmp_path: Path) -> None:
    house.log.append([linked("c0", "c1"), linked("anonymous:device", "c1"), order("device", "anonymous:device", LATER)])
    refused = house.place.data / "quarantine" / "crm.csv-1.ndjson"
    refused.parent.mkdir(exist_ok=True)
    refused.write_bytes(b'{"row":"{\\"anonymousId\\": \\"device\\"}"}\n{"row":"c0,x"}\n{"row":"c9,x"}\n')
    erased = house.erase("c0")
    assert erased is not None and erased.log is not None
    assert erased.log.members == ("anonymous:device", "c0", "c1")
    assert erased.quarantined == 2
    assert house.known_offline().isdisjoint(erased.log.members)
    assert not any(house.store.read(one, LATER).known for one in erased.log.members)
    assert house.erase("c1") is None


def test_an_erasure_of_several_ids_that_was_interrupted_is_finished_by_any_of_them(house: House) -> None:
    house.log.append([linked("c0", "c1")])
    house.projector.run_once()
    house.log.erase("c1", at=LATER)  # and the process was killed
    assert [one.members for one in house.log.pending("c0")] == [("c0", "c1")]
    erased = house.erase("c0")
    assert erased is not None and erased.log is None
    assert house.known_offline().isdisjoint(("c0", "c1"))
    assert not any(house.store.read(one, LATER).known for one in ("c0", "c1"))
    assert house.log.pending("c0") == []


@pytest.mark.parametrize("moment", ["features.erasure._forgotten", "features.quarantine.forget", "features.erasure._taken_out"])
def test_who_starts_afresh_while_they_are_erased_keeps_what_is_new_and_nothing_of_before(
    moment: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = order("fresh", "c0", LATER + DAY)
    module, name = moment.rsplit(".", 1)
    step = getattr(sys.modules[module], name)

    def meanwhile(*args: Any, **more: Any) -> Any:
        house.log.append([fresh])
        house.projector.run_once()  # another process's: folded onto what is still there
        return step(*args, **more)

    monkeypatch.setattr(moment, meanwhile)
    house.erase("c0")
    alone = house.store.read("c0", LATER + DAY)
    house.log.append([replace(fresh, message_id="of a newcomer", customer_id="newcomer")])
    house.projector.run_once()
    newcomer = house.store.read("newcomer", LATER + DAY)
    assert newcomer.known
    assert (alone.present == newcomer.present).all()
    assert (alone.values[alone.present] == newcomer.values[newcomer.present]).all()
    assert house.log.state("c0")[0].known
    assert house.log.verify().fault is None


def test_a_build_that_was_made_while_a_customer_is_erased_keeps_what_is_new(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = erasure._forgotten

    def meanwhile(*args: Any, **more: Any) -> Any:
        house.log.append([order("fresh", "c0", LATER + DAY)])
        offline.build(house.place, house.log)
        return step(*args, **more)

    monkeypatch.setattr(erasure, "_forgotten", meanwhile)
    house.erase("c0")
    report = builds.current(house.offline)
    assert report is not None
    kept = pl.read_parquet(builds.table_file(house.offline, report.stamp, "orders")).filter(pl.col("customer_id") == "c0")
    assert kept.height == 1  # what is new
    assert [one.name for one in house.offline.iterdir() if one.is_dir()] == [report.stamp]


BUILDING = ["reading the log", "folding the history", "writing the tables", "judging the tables", "telling Feast"]
LOADING = ["reading the tables", "loading the online store", "folding in what came after", "the online store is loaded"]


@pytest.mark.parametrize("moment", [*BUILDING, *LOADING])
def test_who_is_erased_while_features_are_built_or_loaded_stays_erased(moment: str, house: House) -> None:
    done: list[Erasure | None] = []

    def meanwhile(step: str, share: float) -> None:
        if step == moment and not done:
            done.append(house.erase("c0"))

    offline.build(house.place, house.log, meanwhile)
    offline.materialize(house.place, house.log, meanwhile)
    assert done and done[0] is not None and done[0].log is not None
    assert house.known_offline() == {f"c{at}" for at in range(1, 12)} | {"stranger"}
    frame = offline.training_frame(house.place, labels(["c0", "c1"], LATER))
    assert frame.drop("customer_id", "at")[0].null_count().row(0) == (1,) * (frame.width - 2)
    assert frame["points"][1] is not None
    assert not house.store.read("c0", LATER).known
    assert house.store.read("c1", LATER).get("since_order") == 0.0
    report = builds.current(house.offline)
    assert report is not None
    kept = pl.read_parquet(builds.table_file(house.offline, report.stamp, "orders"))
    assert report.tables[0].rows == kept.height
    assert not list(house.offline.rglob("erased-*"))  # who it was is kept nowhere


def test_a_build_under_way_is_told_of_who_was_erased_after_what_it_read(tmp_path: Path) -> None:
    with builds.writing(tmp_path, "made") as partial:
        for sequence in (7, 8, 9):
            erased = Pending(receipt_id=f"r{sequence}", sequence=sequence, members=(f"c{sequence}", f"anonymous:{sequence}"))
            under_way.tell(tmp_path, erased)
        assert under_way.told(partial, after=7) == {"c8", "anonymous:8", "c9", "anonymous:9"}
        assert under_way.told(partial, after=0) == frozenset()
    under_way.tell(tmp_path, erased)
    assert list((tmp_path / "made").iterdir()) == []


def test_customers_who_are_erased_at_once_are_all_gone(house: House) -> None:
    gone = [f"c{at}" for at in range(6)]
    with ThreadPoolExecutor(len(gone)) as pool:
        assert all(pool.map(house.erase, gone))
    assert house.known_offline() == {f"c{at}" for at in range(6, 12)} | {"stranger"}
    assert not any(house.store.read(one, LATER).known for one in gone)


def test_a_stale_store_is_cleaned_too(house: House, tmp_path: Path) -> None:
    house.store.close()
    other = workspace(tmp_path / "brand", (house.place.path / "profile.yaml").read_text().replace("30d", "60d"))
    store = PackedStore(other.data / offline.ONLINE, other.profile)
    assert store.stale
    projector = Projector(house.log, store, other.profile, other.brand.time_zone)
    erased = erasure.erase("c0", log=house.log, store=store, projector=projector, data=house.offline.parent, at=LATER)
    assert erased is not None and erased.online == 3
    store.close()


def test_a_workspace_without_tables_needs_none(tmp_path: Path) -> None:
    place = workspace(tmp_path)
    with log_of(place, [order("m1", "c0", START)]) as log:
        store = PackedStore(place.data / offline.ONLINE, place.profile)
        projector = Projector(log, store, place.profile, place.brand.time_zone)
        projector.run_once()
        erased = erasure.erase("c0", log=log, store=store, projector=projector, data=place.data, at=START)
        assert erased is not None
        assert (erased.online, erased.offline) == (1, 0)
        assert erased.lines()[-1].startswith("remains   third-party files")
        assert not any("c0" in line.replace(erased.log.receipt_id, "") for line in erased.lines())
        store.close()


def test_what_an_interrupted_build_left_goes_with_it(house: House) -> None:
    (house.offline / "whole-but-not-current").mkdir()
    (house.offline / "current").unlink()
    house.erase("c0")
    assert house.known_offline() == set()
    assert builds.current(house.offline) is None


def test_quarantined_rows_that_name_the_customer_go_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "crm.csv-1.ndjson"
    file.write_bytes(b'{"line":1,"row":"anna,x"}\n{"line":2,"row":"bob,x"}\n')
    assert quarantine.forget(tmp_path, ["anna", "old"]) == 1
    assert file.read_bytes() == b'{"line":2,"row":"bob,x"}\n'
    assert quarantine.forget(tmp_path, ["anna"]) == quarantine.forget(tmp_path / "nowhere", ["bob"]) == 0


def test_rows_refused_while_somebody_is_erased_are_not_lost(tmp_path: Path) -> None:
    target = tmp_path / "crm.csv-1.ndjson"
    with quarantine.quarantine(target, file="crm.csv", delimiter=",") as refused:
        refused.add(1, b"anna," + b"x" * 20_000, quarantine.Refused("no_time", "give one"))  # more than waits to be written
        quarantine.forget(tmp_path, ["anna"])
        refused.add(2, b"bob,x", quarantine.Refused("no_time", "give one"))
    assert b"bob" in target.read_bytes()
