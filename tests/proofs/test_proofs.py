"""The proofs at a small size, and the worlds that they are made of."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from decisioning import check
from tests.decisioning.oracle.world import World
from tests.proofs.__main__ import prove
from tests.proofs.deciding import INDEX
from tests.proofs.every_proof import PROOFS, SEED
from tests.proofs.random_brands import brand
from tests.proofs.random_customers import customers


@pytest.mark.parametrize("name", list(PROOFS))
def test_it_holds(name: str) -> None:
    proof = PROOFS[name]
    found = proof.check(proof.small, SEED)
    assert found.faults == ()
    assert found.holds, found.counted


def test_what_was_proved_is_kept_beside_what_was_proved_before(tmp_path: Path) -> None:
    (tmp_path / "proofs.json").write_text(json.dumps({"caps": {"proof": "before"}}), encoding="utf-8")
    prove(["emotion"], "small", 3, tmp_path)
    kept = json.loads((tmp_path / "proofs.json").read_text(encoding="utf-8"))
    assert kept["caps"] == {"proof": "before"}
    assert set(kept["emotion"]) == {"commit", "proof", "size", "seed", "holds", "counted", "faults", "cpu_s"}
    assert (kept["emotion"]["size"], kept["emotion"]["seed"], kept["emotion"]["holds"]) == (PROOFS["emotion"].small, 3, True)


# --------------------------------------------------------------------------------------------------------- the random worlds

RULES = {
    "known_customer", "channel_closed", "holdout", "not_yet_valid", "no_longer_valid", "eligible", "touchpoint_job", "relevant",
    "open_complaint", "negative_emotion", "cool_down", "budget", "in_time", "rule", "cap", "consent_marketing",
    "consent_service", "tone",
}  # fmt: skip


def test_the_random_worlds_fail_at_every_rule_and_often_pass_them_all() -> None:
    counted = PROOFS["rules"].check(2_000, 1).counted
    rules, passed = counted["rules"], counted["passed"]
    assert isinstance(rules, dict) and isinstance(passed, int)
    assert set(rules) >= RULES
    assert passed > 2_000


def test_the_random_brands_are_such_as_a_workspace_may_hold() -> None:
    rng = Random(5)
    for _ in range(30):
        one = brand(rng)
        assert check.faults(one.catalog, one.policy, INDEX) == []


def test_a_seed_gives_the_same_worlds() -> None:
    def drawn(seed: int) -> list[World]:
        rng = Random(seed)
        return [replace(one, profile=None, predictions=None) for one in customers(rng, brand(rng), 5)]  # type: ignore[arg-type]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
