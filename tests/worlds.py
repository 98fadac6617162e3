"""Small worlds to decide in. Each builder gives a whole and valid thing; a test changes only what it is about.

Without changes: a known customer of Corner Market, in the morning of Monday 2018-01-01 in New York, may be told about one
coupon, at an inbound touchpoint (`app_home`) and at an outbound one (`email`).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np

from decisioning.catalog import Action, ActionGroup, Catalog, Response, Text, Touchpoint, Treatment
from decisioning.customer import Contact, Feature, FeatureIndex, Profile, State
from decisioning.decide import decide
from decisioning.domain import Decision, Evidence, Learner, Placement, Predictions, Request
from decisioning.policy import Policy, Purpose, QuietHours, Stage
from decisioning.rulebook import compile_rules
from features.log import Record
from features.log.inputs import Inputs

NOW = datetime(2018, 1, 1, 14, 0, tzinfo=UTC)
"""09:00 in New York."""
ZONE = "America/New_York"
SALT = "a pinch of salt"
NIGHT = QuietHours(start=time(21), end=time(8))
JOBS = ("inform", "onboard", "sell", "serve", "retain", "recover", "refer", "celebrate")
TOPICS = ("bakery", "produce")
HOURS = tuple(f"hour_{hour:02d}" for hour in range(24))
DAYS = tuple(f"day_{day}" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))


def feature(name: str, **changes: Any) -> Feature:
    given = {"view": "orders", "ages": "stays", "unit": "", "source": "first_party", "purpose": "personalisation"}
    return Feature(**(given | {"name": name, "says": f"your {name.replace('_', ' ')}"} | changes))


def index(*more: Feature) -> FeatureIndex:
    """A little of everything: decayed sums, a clock, a lifetime total, a band, habits, and a third party's word."""
    return FeatureIndex(
        (
            feature("orders_90d", ages="decays", half_life_days=90.0, unit="orders", says="how often you shop"),
            feature("spend_90d_bakery", ages="decays", half_life_days=90.0, unit="USD", says="what you spend on bakery"),
            feature("since_order", ages="grows", unit="days", says="the days since you last shopped"),
            feature("points", unit="points", says="your loyalty points"),
            feature("tier", labels=("bronze", "silver", "gold"), says="your loyalty tier"),
            *(feature(name, ages="decays", half_life_days=90.0, unit="orders") for name in (*HOURS, *DAYS)),
            feature(
                "age_band",
                view="households",
                source="third_party",
                purpose="third_party",
                labels=("19-24", "25-34", "35+"),
                says="your age group",
            ),
            *more,
        )
    )


def profile(*, of: FeatureIndex | None = None, **known: float | str) -> Profile:
    """A profile that knows what is named, a label written as itself; without names, a customer with a few orders."""
    of = of or index()
    known = known or {"orders_90d": 3.0, "spend_90d_bakery": 12.5, "since_order": 4.0, "points": 1234.0, "tier": "gold"}
    values = np.full(len(of), np.nan, dtype=np.float32)
    for name, value in known.items():
        values[of.positions[name]] = of[name].labels.index(value) if isinstance(value, str) else value
    return Profile(index=of, values=values, present=~np.isnan(values))


def state(**changes: Any) -> State:
    given: dict[str, Any] = {"customer_id": "1029", "known": True, "consents": {"marketing": True}}
    return State(**(given | changes))


def contact(at: datetime = NOW - timedelta(days=1), **changes: Any) -> Contact:
    """A message taken at a time and seen."""
    given: dict[str, Any] = {
        "decision_id": f"earlier at {at.isoformat()}",
        "placement": "main",
        "action": "coupon",
        "group": "coupons",
        "touchpoint": "app_home",
        "channel": "app",
        "at": at,
        "expires_at": at + timedelta(days=7),
        "confirmed": True,
    }
    return Contact(**(given | changes))


def treatment(title: str = "A coupon", body: str = "For you.", **changes: Any) -> tuple[Treatment, ...]:
    """All that an action says at one place: one text, in the brand's usual tone."""
    return (Treatment(**({"title": title, "body": body, "cta": "Take it"} | changes)),)


def action(name: str = "coupon", **changes: Any) -> Action:
    """A coupon that sells, with something to say at both touchpoints; worth far more than it costs."""
    given: dict[str, Any] = {
        "name": name,
        "group": "coupons",
        "job": "sell",
        "value": 10.0,
        "purpose": "marketing",
        "response": Response(prior=0.2),
        "treatments": {"app_home": treatment(name), "email": treatment(name)},
    }
    return Action(**(given | changes))


def touchpoint(name: str = "app_home", **changes: Any) -> Touchpoint:
    given: dict[str, Any] = {
        "name": name,
        "channel": "app",
        "direction": "inbound",
        "jobs": JOBS,
        "default": Text(title="Good to see you, {first_name|neighbour}", body="from {brand}"),
    }
    return Touchpoint(**(given | changes))


def email(**changes: Any) -> Touchpoint:
    return touchpoint(**({"name": "email", "channel": "email", "direction": "outbound", "default": None} | changes))


def catalog(*actions: Action, touchpoints: tuple[Touchpoint, ...] = (), incrementality: float = 0.5) -> Catalog:
    """The actions (one coupon, if none), with a group for each name they use, at `app_home` and `email` unless told."""
    actions = actions or (action(),)
    places = touchpoints or (touchpoint(), email())
    return Catalog(
        actions=actions,
        groups={one.group: ActionGroup(issue="grow", incrementality=incrementality) for one in actions},
        touchpoints={place.name: place for place in places},
        topics=TOPICS,
    )


def policy(**changes: Any) -> Policy:
    """A brand without rules of its own: one journey stage, no caps, no control group."""
    given: dict[str, Any] = {
        "time_zone": ZONE,
        "purposes": {
            "marketing": Purpose(default=False, says="Send me offers."),
            "personalisation": Purpose(default=True, says="Use what I buy."),
            "third_party": Purpose(default=True, says="Use what others know."),
            "service": Purpose(default=True, says="Tell me about my account."),
        },
        "journey": (Stage(stage="active"),),
    }
    return Policy(**(given | changes))


def request(**changes: Any) -> Request:
    given: dict[str, Any] = {"decision_id": "d1", "customer_id": "1029", "touchpoint": "app_home"}
    return Request(**(given | changes))


def slots(count: int) -> tuple[Placement, ...]:
    return (Placement(id="main", count=count),)


def predictions(of: Catalog, response: float | Mapping[str, float] = 0.2, **changes: Any) -> Predictions:
    """The same response for every action, or one each by name (0.2 for those not named)."""
    by_name = response if isinstance(response, Mapping) else {one.name: response for one in of.actions}
    given: dict[str, Any] = {
        "response": np.array([by_name.get(one.name, 0.2) for one in of.actions], dtype=np.float64),
        "assumed": np.array([one.response.prior is not None for one in of.actions], dtype=np.bool_),
        "customer": {"churn": 0.1},
    }
    return Predictions(**(given | changes))


def learner(snapshot: int = 0, **evidence: Evidence) -> Learner:
    """Evidence by action name, at `app_home`."""
    return Learner(evidence={(name, "app_home"): seen for name, seen in evidence.items()}, snapshot=snapshot)


def inputs(of: Catalog | None = None, **changes: Any) -> Inputs:
    of = of or catalog()
    given: dict[str, Any] = {
        "profile": profile(),
        "state": state(),
        "predictions": predictions(of),
        "learner": learner(),
        "stock": {},
        "population": {},
        "ledger": {},
        "brand": "Corner Market",
        "salt": SALT,
        "degraded": (),
        "catalog": "c0ffee",
        "bundle": None,
        "tzdata": "2026.6",
    }
    return Inputs(**(given | changes))


def decided(of: Catalog | None = None, *, now: datetime = NOW, **changes: Any) -> Decision:
    """Decide. A change may name anything that `decide` takes, and the policy; the rest is as above."""
    of = of or catalog()
    given: dict[str, Any] = {
        "request": request(),
        "profile": profile(),
        "state": state(),
        "predictions": predictions(of),
        "learner": learner(),
        "stock": {},
        "population": {},
        "ledger": {},
        "brand": "Corner Market",
        "now": now,
        "salt": SALT,
    }
    asked_by = changes.pop("policy", None) or policy()
    given |= changes
    return decide(rulebook=compile_rules(of, asked_by, given["profile"].index), **given)


def record(kind: str, message_id: str, payload: bytes, *, at: datetime = NOW, **changes: Any) -> Record:
    """A record of customer 1029 that became known when it happened."""
    made = Record(
        kind=kind,  # type: ignore[arg-type]
        message_id=message_id,
        customer_id="1029",
        event_time=at,
        known_time=at,
        payload=payload,
    )
    return replace(made, **changes)
