"""What was said to customers and by them, at random."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from decisioning.customer import Contact, Emotion, Episode, Exchange, Refusal, State
from decisioning.preferences import PACE, PAUSE, Preference, Wanted
from decisioning.promises import Promise
from tests.proofs.random_brands import TOPICS, Brand
from tests.proofs.random_conditions import PURPOSES
from tests.proofs.random_policies import DAY, HOUR, SPANS

ZONES = (
    None, "America/New_York", "America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu",
    "Australia/Lord_Howe", "Pacific/Auckland", "Mars/Olympus", "America",
)  # fmt: skip
_TICK = timedelta(microseconds=1)


def state(rng: Random, brand: Brand, name: str, now: datetime) -> State:
    def sometimes(share: float) -> bool:
        return rng.random() < share

    groups, channels = list(brand.catalog.groups), [one.channel for one in brand.catalog.touchpoints.values()]
    names = [one.name for one in brand.catalog.actions]

    def refusal() -> Refusal:
        return Refusal(action=rng.choice(names), group=rng.choice(groups), at=_before(rng, now))

    made = State(
        customer_id=name,
        group_id=f"{name} as first met" if sometimes(0.1) else None,
        known=sometimes(0.9),
        consents={purpose: sometimes(0.93) for purpose in PURPOSES if sometimes(0.9)},
        closed_channels=tuple(channel for channel in channels if sometimes(0.03)),
        open_complaints=("k1",) if sometimes(0.06) else (),
        emotion=_emotion(rng, now) if sometimes(0.3) else None,
        contacts=tuple(_contacts(rng, brand, now)),
        refusals=tuple(refusal() for _ in range(rng.choice((0, 0, 0, 0, 0, 1, 2)))),
        time_zone=rng.choice(ZONES),
    )
    made = replace(made, postponed=tuple(refusal() for _ in range(rng.choice((0, 0, 1, 3)))))
    made = replace(made, preferences=dict(_preferences(rng, now, groups, channels)))
    promises = {f"k{at}": _promise(rng, now, names) for at in range(rng.choice((0, 0, 0, 1, 3)))}
    made = replace(made, promises=promises)
    made = replace(made, hardship=_hardship(rng, now) if sometimes(0.15) else None)
    given = {kind: rng.randint(1, 3) for kind in ("consent", "rating") if sometimes(0.5)}
    made = replace(made, exchange=Exchange(given=given, received=rng.randrange(5), worth=rng.uniform(0, 40)))
    if sometimes(0.15):
        made = replace(made, unhealed=(replace(_emotion(rng, now), valence=-0.6),))
    return made


def _emotion(rng: Random, now: datetime) -> Emotion:
    return Emotion(
        valence=rng.choice((-0.9, -0.5, 0.0, 0.8)),
        intensity=rng.choice((0.5, 0.9, 1.0)),
        confidence=rng.choice((0.3, 0.5, 1.0)),
        at=now - rng.choice((0.0, 1.0, 7.0, rng.uniform(-0.5, 20))) * DAY,
    )


def _contacts(rng: Random, brand: Brand, now: datetime) -> Iterator[Contact]:
    catalog = brand.catalog
    for at in range(rng.choice((0, 0, 1, 3, 8, 25))):
        action, place = rng.choice(catalog.actions), rng.choice(list(catalog.touchpoints.values()))
        gone = rng.random() < 0.05  # of an action that the catalog no longer has
        when = _before(rng, now) if rng.random() < 0.9 else now + rng.uniform(0, 2) * DAY
        seen = rng.random() < 0.6
        yield Contact(
            decision_id=f"e{at}",
            placement="main",
            action="gone" if gone else action.name,
            group="gone" if gone else action.group,
            touchpoint=place.name,
            channel=place.channel,
            at=when,
            expires_at=rng.choice((now, now + _TICK, when + HOUR, when + 7 * DAY)),
            confirmed=seen,
            answered=seen and rng.random() < 0.3,
            mandatory=action.mandatory and not gone,
            job=action.job if rng.random() < 0.7 else None,
        )


def _before(rng: Random, now: datetime) -> datetime:
    """A moment in the last 60 days, often at the very edge of a window."""
    if rng.random() < 0.3:
        return now - rng.choice(SPANS[:-1]) + rng.choice((-_TICK, timedelta(0), _TICK))
    return now - rng.uniform(0, 1) ** 2 * 59 * DAY


def _preferences(rng: Random, now: datetime, groups: list[str], channels: list[str]) -> Iterator[tuple[str, Preference]]:
    abouts = [f"topic:{one}" for one in TOPICS] + [f"group:{one}" for one in groups] + [f"channel:{one}" for one in channels]
    wants: tuple[Wanted, ...] = ("more", "more", "usual", "less", "less", "none")
    for about in abouts:
        if rng.random() < 0.15:
            yield about, Preference(at=now - DAY, wanted=rng.choice(wants))
    if rng.random() < 0.1:
        yield PACE, Preference(at=now - DAY, a_week=rng.choice((None, 0, 1, 3, 7)))
    if rng.random() < 0.1:
        until = rng.choice((None, now, now + _TICK, now - DAY, now + 3 * DAY))
        yield PAUSE, Preference(at=now - DAY, until=until)


def _promise(rng: Random, now: datetime, names: list[str]) -> Promise:
    status = rng.choice(("open", "open", "open", "kept", "waived", "broken"))
    ended = None if status == "open" else now - rng.uniform(0, 5) * DAY
    return Promise(
        made_at=now - 9 * DAY if rng.random() < 0.9 else None,
        what="a call back",
        due=rng.choice((now, now - _TICK, now - DAY, now + DAY, now + 3 * DAY)),
        by="desk",
        make_good=rng.choice((None, *names[:5])),
        status=status,
        ended_at=ended,
        made_good_at=now - HOUR if status == "broken" and rng.random() < 0.5 else None,
    )


def _hardship(rng: Random, now: datetime) -> Episode:
    began = now - rng.uniform(0, 9) * DAY
    return Episode(opened_at=rng.choice((None, began)), closed_at=rng.choice((None, began, began - DAY, began + HOUR)))
