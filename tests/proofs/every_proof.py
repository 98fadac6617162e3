"""All proofs, with the size at which they are whole and the one at which every test run repeats them."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.proofs.caps import caps_hold
from tests.proofs.draws import draws_match
from tests.proofs.emotion import heals_on_its_half_life
from tests.proofs.every_world import hints_unlock, rules_hold
from tests.proofs.experiments import splits_are_independent
from tests.proofs.explanations import explanations_are_faithful
from tests.proofs.finding import Finding
from tests.proofs.metamorphic import changes_nothing_or_helps
from tests.proofs.promises import each_breach_is_seen_once

SEED = 20261122


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    check: Callable[[int, int], Finding]
    whole: int
    small: int


PROOFS: dict[str, Proof] = {
    "rules": Proof(check=rules_hold, whole=100_000, small=2_000),
    "hints": Proof(check=hints_unlock, whole=100_000, small=1_500),
    "draws": Proof(check=draws_match, whole=1_000_000, small=10_000),
    "metamorphic": Proof(check=changes_nothing_or_helps, whole=10_000, small=200),
    "caps": Proof(check=caps_hold, whole=1_000_000, small=4_000),
    "emotion": Proof(check=heals_on_its_half_life, whole=5_000, small=50),
    "promises": Proof(check=each_breach_is_seen_once, whole=10_000, small=300),
    "explanations": Proof(check=explanations_are_faithful, whole=1_000, small=40),
    "experiments": Proof(check=splits_are_independent, whole=100_000, small=2_000),
}
