"""Past decisions made again with a lever at 1."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.levers import TOGETHER, Levers, replay_levers
from features.log import Log
from features.published import Published
from tests.features.trial_log import CATALOG, DAY, Writer, body_changed, playbook, success
from tests.worlds import NOW


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log(f"sqlite:///{tmp_path / 'log.db'}")
    yield log
    log.close()


def again(log: Log, *, now: Any = NOW + 100 * DAY, most: int = 1_000) -> Levers:
    return replay_levers(log, Published(log), now=now, most=most, progress=lambda *_: None)


def written(log: Log, catalog: str = CATALOG, customers: int = 60) -> tuple[Writer, list[Any]]:
    writer = Writer.opened(log, playbook(catalog=catalog))
    made = [writer.decision(f"c{number}") for number in range(customers)]
    log.append(made)
    return writer, [one for one in made if one.body["group"] == "treatment"]


def test_the_treatment_groups_decisions_come_out_as_they_would_have_without_the_lever(log: Log) -> None:
    writer, treated = written(log)
    bare = playbook(catalog=CATALOG.replace("lever: 3.0", "lever: 1.0"))
    without = Writer(log=log, book=bare, rulebook=bare.compiled())
    (found,) = again(log).replayed
    assert (found.lever, len(found.customers)) == ("bread", len(treated))
    position = [action.name for action in writer.rulebook.plans["app"].actions].index("bread")
    whole = 2**40
    for one in treated[:10]:
        units, other = one.body["units"], without.decision(str(one.customer_id)).body["units"]
        # customers differ in nothing but their draw, so all rows say the same but for what was drawn
        moved = sum(abs(a - b) for a, b in zip(units, other, strict=True)) / 2 / whole
        np.testing.assert_allclose(found.moved, moved, atol=1e-12)
        assert units[position] > other[position]
    drawn = [one.body["results"][0].get("action") for one in treated]
    then = [without.decision(str(one.customer_id)).body["results"][0].get("action") for one in treated]
    assert int(found.changed.sum()) == sum(a != b for a, b in zip(drawn, then, strict=True)) > 0
    assert (found.given_away > 0).all() and (found.unseen == 0).all()


def test_weights_are_what_makes_the_logged_choices_those_without_the_lever(log: Log) -> None:
    written(log, customers=400)
    (found,) = again(log).replayed
    assert found.weight.mean() == pytest.approx(1.0, abs=4 * found.weight.std() / np.sqrt(len(found.weight)))
    assert len(np.unique(found.weight)) >= 2


def test_what_a_success_brought_is_known_once_its_window_is_over(log: Log) -> None:
    _, treated = written(log)
    taken = next(one for one in treated if one.body["results"][0].get("action") == "points")
    log.append([success(taken, NOW + DAY)])
    (found,) = again(log).replayed
    assert found.margin[np.isfinite(found.margin)].sum() == 1.0
    (early,) = again(log, now=NOW + 2 * DAY).replayed
    said_nothing = sum(one.body["results"][0]["kind"] != "action" for one in treated)
    assert int(np.isfinite(early.margin).sum()) == said_nothing


def test_several_levers_are_measured_one_by_one_and_together(log: Log) -> None:
    written(log, CATALOG.replace("value: 1.0\n", "value: 1.0\n    lever: 3.0\n"))
    found = {one.lever: one for one in again(log).replayed}
    assert list(found) == ["bread", "points", TOGETHER]
    # threefold both is what both are without: but for the thresholds, the choice stays
    assert found[TOGETHER].moved.max() < min(found["bread"].moved.min(), found["points"].moved.min())


def test_a_lever_of_what_a_rule_keeps_out_weighs_nothing(log: Log) -> None:
    writer = Writer.opened(log)
    log.append([writer.decision(f"c{number}", orders=0.0) for number in range(20)])
    (found,) = again(log).replayed
    assert not found.changed.any() and not found.moved.any()
    assert (found.weight == 1.0).all()


def test_without_a_lever_there_is_nothing_to_tell(log: Log) -> None:
    written(log, CATALOG.replace("lever: 3.0", "lever: 1.0"))
    assert again(log) == Levers(replayed=(), faults=0)


def test_whole_customers_are_taken_until_there_are_enough_decisions(log: Log) -> None:
    writer, treated = written(log)
    log.append([writer.decision(str(one.customer_id), NOW + DAY, name=f"again {one.customer_id}") for one in treated])
    (found,) = again(log, most=10).replayed
    assert len(found.customers) == 10
    assert np.unique(found.customers, return_counts=True)[1].tolist() == [2] * 5
    (same,) = again(log, most=10).replayed
    np.testing.assert_array_equal(same.weight, found.weight)


def test_what_cannot_be_made_again_is_counted(log: Log) -> None:
    writer, treated = written(log)
    extra = writer.decision(str(treated[0].customer_id), NOW + DAY, name="changed since")
    log.append([body_changed(extra, journey_stage="lapsed")])
    found = again(log)
    assert (found.faults, len(found.replayed[0].customers)) == (1, len(treated))
