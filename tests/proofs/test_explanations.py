"""The proof of the explanations at a small size, and that it would notice."""

from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from decisioning.counterfactual import reasons
from decisioning.trace import Weighed
from tests.proofs.explained_worlds import explained_worlds
from tests.proofs.explanations import explanations_are_faithful, faults_of, is_faithful
from tests.worlds import decided

SEED = 20261122
WELL: dict[str, Any] = {
    "why": "We want to help.",
    "reasons": [{"direction": "helped", "words": "You are new here. That counted for it."}],
    "data_used": [{"what": "facts about your household that we keep private", "from": "a data partner"}],
    "commercial_weight": None,
    "change": [],
    "left_out": None,
}


def test_explanations_are_faithful_name_nothing_sensitive_and_are_easy_to_read() -> None:
    finding = explanations_are_faithful(40, SEED)
    assert finding.faults == ()
    assert finding.holds, finding.counted
    counted = finding.counted
    assert isinstance(counted["of each kind"], dict)
    assert set(counted["of each kind"]) >= {"datum", "evidence", "weight", "maybe_later"}
    assert isinstance(counted["with private data"], int) and counted["with private data"] > 10


def test_a_reason_told_the_wrong_way_round_is_noticed() -> None:
    for world in islice(explained_worlds(SEED), 20):
        decision = decided(world.catalog, **world.given)
        (result, *_), trace = decision.results, decision.trace
        if result.action is None:
            continue
        assert isinstance(trace, Weighed)
        for one in reasons(trace, trace.sifted.plan.position(result.action), world.predict):
            assert is_faithful(one, result, world)
            assert not is_faithful(replace(one, having=one.lacking, lacking=one.having), result, world)


@pytest.mark.parametrize(
    ("wrong", "noticed"),
    [
        ({"why": "Your household's income group is high, and so: your household's income group."}, "is named"),
        ({"change": [{"what": "Tell us.", "press": "contest", "about": "kids"}]}, "is named"),
        ({"why": "Organisational considerations necessitate communication prioritisation."}, "grade"),
    ],
)
def test_a_name_that_is_private_and_words_that_are_hard_are_noticed(wrong: dict[str, Any], noticed: str) -> None:
    assert list(faults_of(WELL)) == []
    assert any(noticed in fault for fault in faults_of(WELL | wrong))
