"""The rules that bind every policy, as arrays, are those that the core finds by itself in the states."""

from dataclasses import replace

import numpy as np
import pytest

from decisioning.domain import Decision
from training.simulation import kairos
from training.simulation.brand import NAMES, SORRY
from training.simulation.environment import Asked, Environment
from training.simulation.kairos import Kairos
from training.simulation.population import populated
from training.simulation.ranges import drawn
from training.simulation.run import live


@pytest.fixture(scope="module")
def met() -> list[tuple[Asked, list[Decision]]]:
    """Every round of a world full of broken promises and complaints, with the core's decisions."""
    world = replace(drawn(3, "broken promises"), complaining=0.2, control=0.2, keeping=0.4, base=0.4)
    rounds: list[tuple[Asked, list[Decision]]] = []
    decide = kairos.decide

    class Watched(Kairos):
        def choose(self, asked, luck):
            rounds.append((asked, []))
            return super().choose(asked, luck)

    def watched(**given):
        rounds[-1][1].append(decide(**given))
        return rounds[-1][1][-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kairos, "decide", watched)
        population = populated(world, customers=80, weeks=12)

        def made(environment: Environment) -> Kairos:
            return Watched(world, population)

        live(world, population, made)
    return rounds


def test_the_core_passes_what_the_arrays_pass(met):
    for asked, decisions in met:
        for at, decision in enumerate(decisions):
            passed = {one.action for one in decision.candidates} - {SORRY}
            assert passed == {NAMES[one] for one in np.flatnonzero(asked.allowed[at])}


def test_the_core_is_sorry_where_the_arrays_are(met):
    said = [decision.results[0].action == SORRY for _, decisions in met for decision in decisions]
    sorry = [bool(one) for asked, _ in met for one in asked.sorry]

    assert said == sorry
    assert sum(said) > 5


def test_every_rule_had_something_to_forbid(met):
    rules = {one.rule for _, decisions in met for decision in decisions for one in decision.rejected}

    assert rules >= {
        "holdout", "open_complaint", "broken_promise", "cool_down", "three_a_week", "same_once_a_week", "promises_not_kept",
        "make_good_first",
    }  # fmt: skip


def test_the_control_group_is_the_core_s(met):
    for asked, decisions in met:
        assert [decision.group == "control" for decision in decisions] == asked.held.tolist()
