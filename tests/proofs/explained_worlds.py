"""Worlds for explanations: brands whose weights speak, customers who said things, and a model that reads many of their data."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from math import exp
from random import Random
from typing import Any

import numpy as np

from decisioning.catalog import Catalog
from decisioning.conditions import parse
from decisioning.customer import Emotion, Episode, FeatureIndex, Profile, Refusal, State
from decisioning.domain import SELLING, Evidence, Job, Learner, Predictions
from decisioning.policy import Contact as Limits
from decisioning.policy import Exploration, Fatigue, Groups, Policy, Rule, Rules, Stage, Weight
from decisioning.preferences import Preference
from decisioning.promises import Promise
from tests import worlds
from tests.worlds import NOW, feature

DAY = timedelta(days=1)
PLAIN = {
    "orders_30d": "how often you shop these weeks",
    "spend_90d": "how much you spend these months",
    "spend_90d_produce": "what you spend on produce",
    "discount_share": "how much of what you spend is saved with offers",
    "tenure": "how long you have been with us",
    "offers_30d": "how many offers we sent you lately",
    "accepted_180d": "how many coupons you used this year",
    "since_offer": "the days since our last offer",
    "answers_email": "how many of our messages you read",
    "rated": "what you told us of us",
    "referrals": "how many friends you brought",
}
SENSITIVE = {
    "income_band": "your household's income group",
    "kids": "how many children live in your household",
    "home_owned": "whether you own your home",
    "faith": "what you believe in",
}
INDEX: FeatureIndex = worlds.index(
    *(feature(name, says=says) for name, says in PLAIN.items()),
    *(
        feature(name, says=says, view="households", source="third_party", purpose="third_party", sensitive=True)
        for name, says in SENSITIVE.items()
    ),
)
READ = (*PLAIN, *SENSITIVE, "orders_90d", "spend_90d_bakery", "since_order", "points")
WEIGHTS: tuple[tuple[str | None, str | None, str], ...] = (
    ("profile.since_order > 30", None, "You have not been here for a while."),
    ("profile.tenure < 60", None, "You are new here."),
    ("stage = loyal", None, "You come to us often."),
    ("context.intent = offers", None, "You asked for offers."),
    (None, "prediction.churn", "We would be sad to see you go."),
    ("profile.kids >= 1", None, "You have children."),
    ("profile.home_owned >= 1", "prediction.churn", "You own your home."),
    ("state.received >= 1", None, "You took an offer from us before."),
    (None, None, ""),
)


@dataclass(frozen=True, slots=True)
class Model:
    """A model of responses: a slope and a jump for each feature, two that work together, and a way for what is missing."""

    catalog: Catalog
    reads: dict[str, tuple[str, ...]]
    effects: dict[tuple[str, str], tuple[float, float, float]]
    pairs: dict[str, tuple[str, str, float]]

    def __call__(self, profile: Profile) -> Predictions:
        response = np.array([self._response(one.name, profile) for one in self.catalog.actions])
        churn = 1.0 / (1.0 + exp(1.0 - 2.0 * _scaled(profile, "since_order") + _scaled(profile, "spend_90d")))
        return Predictions(
            response=response,
            assumed=np.zeros(len(response), dtype=np.bool_),
            customer={"churn": churn},
            reads=self.reads,
        )

    def _response(self, action: str, profile: Profile) -> float:
        at = -2.0
        for name in self.reads[action]:
            slope, jump, missing = self.effects[action, name]
            known = _scaled(profile, name)
            at += missing if profile.get(name) is None else slope * known + jump * (known > 0.5)
        first, second, together = self.pairs[action]
        at += together * (_scaled(profile, first) > 0.4) * (_scaled(profile, second) < 0.6)
        return 1.0 / (1.0 + exp(-at))


@dataclass(frozen=True, slots=True)
class Explained:
    """All that `tests.worlds.decided` takes, and the model that made the predictions."""

    catalog: Catalog
    predict: Model
    given: dict[str, Any]


def explained_worlds(seed: int) -> Iterator[Explained]:
    """Without an end: a few customers of one brand, then another brand."""
    rng = Random(seed)
    while True:
        catalog, policy = _catalog(rng), _policy(rng)
        model = _model(rng, catalog)
        learner = _learner(rng, catalog)
        for _ in range(5):
            profile = _profile(rng)
            yield Explained(
                catalog,
                model,
                {
                    "policy": policy,
                    "profile": profile,
                    "state": _state(rng),
                    "predictions": model(profile),
                    "learner": learner,
                    "request": worlds.request(
                        decision_id=f"d{rng.getrandbits(60):x}",
                        touchpoint=rng.choice(("app_home", "app_home", "email")),
                        context={"intent": rng.choice(("offers", "help"))},
                        placements=worlds.slots(rng.choice((1, 1, 2))),
                    ),
                    "salt": f"salt {rng.random()}",
                },
            )


def _scaled(profile: Profile, name: str) -> float:
    """Between 0 and 1; 0 where it is missing."""
    value = profile.get(name)
    return value / (20.0 + value) if isinstance(value, float) else 0.0


def _catalog(rng: Random) -> Catalog:
    jobs: tuple[Job, ...] = ("sell", "sell", "sell", "retain", "onboard", "celebrate", "recover", "serve", "refer")
    actions = []
    for at in range(rng.randint(2, 10)):
        job = rng.choice(jobs)
        actions.append(
            worlds.action(
                f"a{at}",
                job=job,
                group=rng.choice(("fresh_coupons", "welcome", "neighbours")),
                topics=tuple(rng.sample(worlds.TOPICS, rng.choice((0, 1, 1, 2)))),
                value=rng.choice((2.0, 5.0, 20.0)),
                lever=rng.choice((0.5, 1.0, 1.0, 2.0)),
                cost=rng.choice((0.0, 0.1)),
                purpose="marketing" if job in SELLING else "service",
                mandatory=job == "serve" and rng.random() < 0.1,
                relevant=rng.choice((None, None, parse("profile.points >= 200"), parse("profile.kids >= 0"))),
            )
        )
    return worlds.catalog(*actions)


def _policy(rng: Random) -> Policy:
    weights = [
        Weight(
            rule=f"w{at}",
            factor=rng.choice((0.0, 0.5, 0.9, 1.01, 1.5, 3.0)),
            when=None if when is None else parse(when),
            scale=scale,
            says=says,
        )
        for at, (when, scale, says) in enumerate(rng.sample(WEIGHTS, rng.randint(0, 5)))
    ]
    return worlds.policy(
        weights=tuple(weights),
        journey=(Stage(stage="loyal", when=parse("profile.orders_90d >= 4")), Stage(stage="active")),
        rules=Rules(suitability=(Rule(rule="r", require=parse("profile.since_order < 100")),) if rng.random() < 0.3 else ()),
        contact=Limits(fatigue=Fatigue(within=7 * DAY, least=1, most=4) if rng.random() < 0.3 else None),
        groups=Groups(control=0.03, random=0.05),
        exploration=Exploration(mass=rng.choice((0.0, 0.05, 0.3))),
    )


def _model(rng: Random, catalog: Catalog) -> Model:
    reads = {one.name: tuple(rng.sample(READ, rng.randint(3, len(READ)))) for one in catalog.actions}
    effects = {
        (action, name): (rng.gauss(0, 0.6), rng.gauss(0, 0.4), rng.gauss(0, 0.3)) for action, of in reads.items() for name in of
    }
    pairs = {action: (*rng.sample(of, 2), rng.gauss(0, 0.8)) for action, of in reads.items()}
    return Model(catalog, reads, effects, pairs)  # type: ignore[arg-type]  # a sample of two is a pair


def _learner(rng: Random, catalog: Catalog) -> Learner:
    evidence = {}
    for one in catalog.actions:
        if rng.random() < 0.6:
            shows = rng.choice((3, 40, 900))
            seen = Evidence(shows=shows, expected=shows * 0.15, successes=rng.randint(0, max(1, shows // 3)))
            evidence[one.name, rng.choice(("app_home", "email"))] = seen
    return Learner(evidence=evidence)


def _profile(rng: Random) -> Profile:
    values = np.full(len(INDEX), np.nan, dtype=np.float32)
    for name in (*READ, "tier", "age_band", "hour_18", "day_sat"):
        if rng.random() < 0.85:
            labels = INDEX[name].labels
            values[INDEX.positions[name]] = (
                rng.randrange(len(labels)) if labels else rng.choice((0.0, 2.0, rng.uniform(0, 120)))
            )
    return Profile(index=INDEX, values=values, present=~np.isnan(values))


def _state(rng: Random) -> State:
    def sometimes(share: float) -> bool:
        return rng.random() < share

    wanted = {
        about: Preference(at=NOW - DAY, wanted=rng.choice(("more", "less", "usual", "none")))
        for about in ("topic:bakery", "topic:produce", "group:welcome", "group:fresh_coupons", "channel:app", "channel:email")
        if sometimes(0.25)
    }
    if sometimes(0.04):
        wanted["pause"] = Preference(at=NOW - DAY, until=NOW + DAY)
    if sometimes(0.08):
        wanted["pace"] = Preference(at=NOW - DAY, a_week=rng.choice((1, 3)))
    groups = ("fresh_coupons", "welcome", "neighbours")
    made = worlds.state(
        consents={"marketing": sometimes(0.9)},
        preferences=wanted,
        contacts=tuple(worlds.contact(NOW - rng.uniform(0, 9) * DAY) for _ in range(rng.choice((0, 0, 1, 3)))),
        refusals=(Refusal(action="a0", group=rng.choice(groups), at=NOW - 3 * DAY),) if sometimes(0.1) else (),
        postponed=tuple(
            Refusal(action="a0", group=rng.choice(groups), at=NOW - rng.uniform(0, 25) * DAY)
            for _ in range(rng.choice((0, 0, 1, 2)))
        ),
        open_complaints=("k1",) if sometimes(0.05) else (),
        hardship=Episode(opened_at=NOW - DAY) if sometimes(0.04) else None,
        time_zone=rng.choice((None, "Europe/Berlin", "America/Los_Angeles")),
    )
    if sometimes(0.1):
        made = replace(made, emotion=Emotion(valence=rng.choice((-0.9, 0.9)), intensity=0.9, confidence=0.9, at=NOW - DAY))
    if sometimes(0.05):
        broken = Promise(made_at=NOW - 9 * DAY, due=NOW - DAY, what="A call", by="Ann", make_good="a1")
        made = replace(made, promises={"p1": broken})
    return made
