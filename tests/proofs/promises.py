"""Each breach of a promise is seen once, by the first decision after it was due, and stops selling until it is put right."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from decisioning.promises import Ending, Promise, breached, ended, made
from tests import worlds
from tests.decisioning.oracle.world import World
from tests.proofs.deciding import INDEX, decided
from tests.proofs.finding import Finding, found

EACH, ASKED = 5, 12
"""Promises of a customer, and how often they are asked for."""
DAY = timedelta(days=1)
CATALOG = worlds.catalog()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """What becomes known at a moment: that a promise was made, how it ended, or that the customer is asked for."""

    known_at: datetime
    promise: str = ""
    made: Promise | None = None
    ending: Ending | None = None
    ended_at: datetime | None = None


def each_breach_is_seen_once(size: int, seed: int) -> Finding:
    """So many promises, kept, kept late, waived, broken or forgotten, the word of it sometimes late."""
    rng, counts, faults = Random(seed), Counter[str](), list[str]()
    for customer in range(-(-size // EACH)):
        words = sorted((word for at in range(EACH) for word in _promise(f"k{at}", rng)), key=lambda one: one.known_at)
        asks = [_Word(known_at=worlds.NOW + rng.uniform(0, 30) * DAY) for _ in range(ASKED)]
        faults += [f"customer {customer}: {fault}" for fault in _lived(sorted([*words, *asks], key=_when), counts)]
        counts["promises"] += EACH
    return found("each breach is seen once", size=size, seed=seed, counted=dict(counts), faults=faults)


def _promise(name: str, rng: Random) -> list[_Word]:
    """When it is made, and what becomes of it and when that is heard; of one in four nothing is ever heard."""
    made_at = worlds.NOW + rng.uniform(0, 10) * DAY
    due = made_at + rng.uniform(0.5, 10) * DAY
    promise = Promise(made_at=made_at, what="a call back", due=due, by="desk")
    words = [_Word(known_at=made_at + rng.choice((0, 0, 3)) * DAY, promise=name, made=promise)]
    if rng.random() < 0.75:
        ending: Ending = rng.choice(("kept", "kept", "kept", "waived", "broken"))
        ended_at = made_at + rng.uniform(0.1, 1.5) * (due - made_at)
        heard = ended_at + rng.choice((0, 0, 0, 4)) * DAY
        words.append(_Word(known_at=heard, promise=name, ending=ending, ended_at=ended_at))
    return words


def _lived(words: list[_Word], counts: Counter[str]) -> list[str]:
    """Everything in the order in which it became known, the core beside a book of what was heard and seen."""
    promises: Mapping[str, Promise] = {}
    due: dict[str, datetime] = {}
    heard: dict[str, Ending] = {}
    seen: set[str] = set()
    faults = []
    for word in words:
        if word.made is not None and word.made.due is not None:
            promises, due[word.promise] = made(promises, word.promise, word.made), word.made.due
        elif word.ending is not None and word.ended_at is not None:
            promises, heard[word.promise] = ended(promises, word.promise, word.ending, word.ended_at), word.ending
        else:
            counts["asked"] += 1
            overdue = {name for name, at in due.items() if at < word.known_at and name not in heard}
            found_now = set(breached(promises, word.known_at))
            if found_now != overdue - seen:
                faults.append(f"at {word.known_at} the breaches of {found_now} were seen, not of {overdue - seen}")
            broken = overdue | {name for name, ending in heard.items() if ending == "broken"}
            if _sells(promises, word.known_at) == bool(broken):
                faults.append(f"at {word.known_at} selling does not follow what is broken: {broken}")
            counts["breaches"] += len(found_now)
            counts["asked while one is broken"] += bool(broken)
            seen |= found_now
            for name in found_now:
                promises = ended(promises, name, "broken", word.known_at, presumed=True)
    return faults


def _when(word: _Word) -> datetime:
    return word.known_at


def _sells(promises: Mapping[str, Promise], now: datetime) -> bool:
    world = World(
        catalog=CATALOG,
        policy=worlds.policy(),
        request=worlds.request(),
        profile=worlds.profile(of=INDEX),
        state=worlds.state(promises=promises),
        predictions=worlds.predictions(CATALOG),
        learner=worlds.learner(),
        stock={},
        ledger={},
        population={},
        now=now,
        salt=worlds.SALT,
    )
    return not decided(world).rejected
