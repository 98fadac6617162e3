"""Every action of the demo brand is somebody's: made-up customers of every kind are decided for at every place."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import examples.grocer
from decisioning.customer import Emotion, Episode, Exchange, Profile, State
from decisioning.decide import decide
from decisioning.domain import Decision, Learner, Predictions, Request
from decisioning.promises import Promise
from decisioning.rulebook import Rulebook
from features.playbook import Playbook
from features.workspace import Workspace

NOW = datetime(2018, 1, 10, 17, tzinfo=UTC)
"""A Wednesday noon in New York, when every coupon is valid."""
DAY = timedelta(days=1)
MORE_THAN_RARELY = 0.01


@pytest.fixture(scope="module")
def book() -> Playbook:
    return Workspace.load(Path(examples.grocer.__file__).parent).playbook


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """A customer, made up: what the profile and the state know, and where and when they are met."""

    knows: dict[str, float | str] = field(default_factory=dict)
    is_: dict[str, Any] = field(default_factory=dict)
    at: datetime = NOW


AISLES = ("bakery", "produce", "meat", "deli", "household", "pantry")
REGULAR: dict[str, float | str] = {
    "orders_30d": 2.5, "orders_90d": 7.0, "since_order": 4.0, "tenure": 300.0, "points": 800.0, "tier": "silver",
}  # fmt: skip
BEST: dict[str, float | str] = REGULAR | {"points": 5_000.0, "tier": "platinum", "accepted_180d": 2.0}
GLAD = {"emotion": Emotion(valence=1.0, intensity=1.0, confidence=1.0, at=NOW - DAY / 24)}
LATE = Promise(
    made_at=NOW - 3 * DAY,
    what="We call you back.",
    due=NOW - DAY,
    by="Kim",
    touchpoint="call_centre",
    make_good="sorry_voucher",
)

PEOPLE: dict[str, Somebody] = {
    **{f"buys {aisle}": Somebody(knows=REGULAR | {f"spend_90d_{aisle}": 40.0}) for aisle in AISLES},
    "drives": Somebody(knows=REGULAR | {"spend_90d_fuel": 60.0}),
    "cooks": Somebody(knows={"since_order": 4.0, "tenure": 300.0, "tier": "bronze", "spend_90d_produce": 2.0}),
    "has points": Somebody(knows=REGULAR),
    "is loyal": Somebody(knows=REGULAR | {"tier": "gold"}),
    "is an advocate": Somebody(knows=BEST),
    "is glad": Somebody(knows=BEST, is_=GLAD),
    "is new": Somebody(knows={"orders_30d": 1.0, "since_order": 3.0, "tenure": 3.0, "points": 30.0, "tier": "bronze"}),
    "comes less": Somebody(knows=REGULAR | {"since_order": 35.0}),
    "has left": Somebody(knows=REGULAR | {"since_order": 100.0, "orders_30d": 0.2}),
    "has come back": Somebody(knows=REGULAR | {"taken_180d_come_back": 0.9, "since_order": 5.0}),
    "complains": Somebody(knows=REGULAR, is_={"open_complaints": ("c1",)}),
    "was let down": Somebody(knows=REGULAR, is_={"promises": {"p1": LATE}}),
    "waits for us": Somebody(
        knows=REGULAR,
        is_={"promises": {"p1": Promise(made_at=NOW, what="We call you.", due=NOW + DAY, by="Kim")}},
    ),
    "is short of money": Somebody(knows=REGULAR, is_={"hardship": Episode(opened_at=NOW - DAY)}),
    "told us a lot": Somebody(knows=BEST, is_={"exchange": Exchange(given={"rating": 6})}),
    "told us little": Somebody(knows=REGULAR | {"tier": "bronze"}, is_={"exchange": Exchange(given={"consent": 1})}),
    "bought the dressing": Somebody(knows=REGULAR | {"spend_90d_salad_bar": 10.0}),
    "holds a card in February": Somebody(knows=REGULAR, at=datetime(2018, 2, 5, 17, tzinfo=UTC)),
    "says yes to nothing": Somebody(knows=REGULAR | {"tier": "bronze"}, is_={"consents": {"marketing": False}}),
}


def profile(book: Playbook, knows: dict[str, float | str]) -> Profile:
    index = book.profile.index
    values = np.full(len(index), np.nan, dtype=np.float32)
    for name, value in knows.items():
        values[index.positions[name]] = index[name].labels.index(value) if isinstance(value, str) else value
    return Profile(index=index, values=values, present=~np.isnan(values))


def decided(book: Playbook, rulebook: Rulebook, one: Somebody, touchpoint: str) -> Decision:
    actions = book.catalog.actions
    consents = dict.fromkeys(("marketing", "personalisation", "third_party"), True)
    return decide(
        request=Request(decision_id="d", customer_id="c-3", touchpoint=touchpoint),
        profile=profile(book, one.knows),
        state=State(**({"customer_id": "c-3", "known": True, "consents": consents} | one.is_)),
        predictions=Predictions(
            response=np.array([action.response.prior or 0.05 for action in actions]),
            assumed=np.array([action.response.prior is not None for action in actions]),
            customer={"churn": 0.3},
        ),
        learner=Learner(evidence={}),
        stock={action.name: action.budget for action in actions if action.budget is not None},
        population={},
        ledger={},
        rulebook=rulebook,
        brand=book.brand.name,
        now=one.at,
        salt="a pinch of salt",
    )


@pytest.fixture(scope="module")
def likeliest(book: Playbook) -> dict[str, float]:
    """By action: with which probability the somebody gets it who gets it most often."""
    rulebook, found = book.compiled(), dict.fromkeys((action.name for action in book.catalog.actions), 0.0)
    for one in PEOPLE.values():
        for touchpoint in book.catalog.touchpoints:
            decision = decided(book, rulebook, one, touchpoint)
            assert decision.group == "treatment"
            for candidate in decision.candidates:
                found[candidate.action] = max(found[candidate.action], candidate.units / 2**40)
    return found


def test_every_action_is_somebodys_with_more_than_a_hundredth(likeliest: dict[str, float]) -> None:
    assert {name: most for name, most in likeliest.items() if most <= MORE_THAN_RARELY} == {}


def test_who_was_let_down_gets_what_makes_good_before_anything_else(book: Playbook) -> None:
    rulebook = book.compiled()
    for touchpoint in ("app_home", "call_centre", "email"):
        (result,) = decided(book, rulebook, PEOPLE["was let down"], touchpoint).results
        assert (result.action, result.message is not None and "sorry" in str(result.message).lower()) == ("sorry_voucher", True)


def test_the_recall_comes_first_for_who_bought_it_and_for_nobody_else(book: Playbook) -> None:
    rulebook = book.compiled()
    (told,) = decided(book, rulebook, PEOPLE["bought the dressing"], "till_receipt").results
    (other,) = decided(book, rulebook, PEOPLE["has points"], "till_receipt").results
    assert (told.action, told.reason) == ("recall_salad_dressing", "must_be_said")
    assert other.action != "recall_salad_dressing"
