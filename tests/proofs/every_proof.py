"""All proofs, with the size at which they are whole and the one at which every test run repeats them."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from tests.proofs.campaigns import campaign_is_read_right, nothing_to_personalise, personalisation_pays
from tests.proofs.caps import caps_hold
from tests.proofs.covering import intervals_cover
from tests.proofs.draws import draws_match
from tests.proofs.emotion import heals_on_its_half_life
from tests.proofs.every_world import hints_unlock, rules_hold
from tests.proofs.experiments import splits_are_independent
from tests.proofs.explanations import explanations_are_faithful
from tests.proofs.finding import Finding
from tests.proofs.metamorphic import changes_nothing_or_helps
from tests.proofs.peeking import peeking_does_not_mislead
from tests.proofs.promises import each_breach_is_seen_once
from tests.proofs.promotions import gates_tell_better_from_worse
from tests.proofs.simulated import beats_in_simulation

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
    "peeking": Proof(check=peeking_does_not_mislead, whole=1_000, small=40),
    "experiments": Proof(check=splits_are_independent, whole=100_000, small=2_000),
    "simulated": Proof(check=beats_in_simulation, whole=20, small=1),
    "promotion": Proof(check=gates_tell_better_from_worse, whole=100, small=2),
    "intervals": Proof(check=intervals_cover, whole=1_000, small=100),
    "crossovers": Proof(check=personalisation_pays, whole=30, small=4),
    "null campaigns": Proof(check=nothing_to_personalise, whole=200, small=10),
}
if os.environ.get("HILLSTROM"):
    # data that the project may not carry: proved where the path of the file is given
    PROOFS["hillstrom"] = Proof(check=campaign_is_read_right, whole=10, small=1)
