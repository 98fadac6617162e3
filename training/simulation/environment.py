"""A simulated world as it goes: who is asked for when, what may be said, what a message does, and what is heard of it.

Vectorised over customers. A moment is one customer in one round of a week; no customer has two in one round.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulation import brand, truth
from training.simulation.brand import DAY, EMAIL, HOUR, WEEK
from training.simulation.coming import Coming
from training.simulation.memory import Memory
from training.simulation.population import LUCK, OUTBOUND, ROUND_DAYS, Population
from training.simulation.ranges import World
from training.simulation.truth import Chances, Moments

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

NOTHING = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """n moments of one round: `who` (n,) is met `now` (n,), in hours since the start, at the position `touchpoint`.

    `seen` (n, len(SEEN)) float32 are the features, `held` (n,) who is in the control group and is told nothing, `passes` (n, A)
    which messages pass the brand's other rules, `sorry` (n,) where the only message is that the brand is sorry, `hour` (n,)
    at which hour of the day each has come most often.
    `came` (n, 24) counts visits by hour, `promises` (ended, kept) those that messages made.
    """

    week: int
    round: int
    touchpoint: int
    who: Ints
    now: Floats
    seen: NDArray[np.float32]
    held: Flags
    passes: Flags
    sorry: Flags
    hour: Ints
    came: Floats
    promises: tuple[int, int]

    @property
    def allowed(self) -> Flags:
        """(n, A): what may be said."""
        return np.asarray(self.passes & ~self.held[:, None])

    @property
    def could(self) -> Flags:
        """(n,): where anything may be said, or might but for the control group."""
        return np.asarray(self.passes.any(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was said at n moments and what came of it. `action` (n,) is a position in NAMES or NOTHING.

    `at` (n,) is when a message came. The rest is when something happened, inf for never: an order, a refusal, a complaint,
    leaving for good; `due_at` when a promised delivery is due, and whether it is `broken`; `accepted` that the brand is sorry.
    """

    asked: Asked
    action: Ints
    at: Floats
    ordered_at: Floats
    refused_at: Floats
    complained_at: Floats
    left_at: Floats
    due_at: Floats
    broken: Flags
    accepted: Flags


class Environment:
    """One policy's own copy of a world: the state of N customers, changed by what it tells them."""

    def __init__(self, world: World, population: Population) -> None:
        n = population.size
        self.world, self.population = world, population
        self.memory = Memory(n)
        self.left_at = np.full(n, np.inf)
        self.felt, self.felt_at = np.zeros(n), np.zeros(n)
        self._came = np.zeros((n, 24))
        self._orders, self._promises = Coming(), Coming()
        self._ledger: list[tuple[float, bool]] = []

    def ask(self, week: int, round_: int) -> Asked:
        """The moments of a round, of customers who have not left."""
        visits = self.population.visits[week, round_]
        who = np.flatnonzero(self.left_at > np.nan_to_num(visits, nan=np.inf))
        now = visits[who]
        self._hear(who, now)
        hour = self._usual_hour(who)
        if round_ != OUTBOUND:
            self._came[who, (now % DAY).astype(int)] += 1.0
        begins = WEEK * week + DAY * ROUND_DAYS[round_]
        ended = [kept for due, kept in self._ledger if due <= begins]
        promises = (len(ended), sum(ended))
        sorry, passes = self.memory.passes(who, now, promises)
        return Asked(
            week=week,
            round=round_,
            touchpoint=EMAIL if round_ == OUTBOUND else brand.APP,
            who=who,
            now=now,
            seen=np.column_stack([self.population.traits[who], self.memory.seen(who, now)]).astype(np.float32),
            held=self.population.control[who],
            passes=passes,
            sorry=sorry,
            hour=hour,
            came=self._came[who],
            promises=promises,
        )

    def truth(self, asked: Asked, hour: Ints | None = None) -> Chances:
        """What is true at moments, where outbound messages would come at `hour` (n,); by default at the customer's own."""
        return truth.chances(self.world, self.population, self._moments(asked, hour))

    def told(self, asked: Asked, hour: Ints) -> Chances:
        """What is true of them as far as it can be seen: the mean among customers who look alike."""
        return truth.told(self.world, self.population, self._moments(asked, hour))

    def _moments(self, asked: Asked, hour: Ints | None) -> Moments:
        away = np.zeros(len(asked.who))
        if asked.touchpoint == EMAIL and hour is not None:
            away = np.abs(hour - self.population.hour[asked.who])
        return Moments(
            who=asked.who,
            share=asked.week / max(1, self.population.weeks - 1),
            felt=truth.left_of(self.felt[asked.who], asked.now - self.felt_at[asked.who], self.world.rest_days * DAY),
            sour=self.memory.sourness(asked.who, asked.now),
            away=away,
        )

    def tell(self, asked: Asked, action: Ints, hour: Ints) -> tuple[Told, Chances]:
        """Say `action` (n,), outbound at `hour` (n,) of this day; returns what came of it, and what was true."""
        if (bad := (action >= 0) & ~asked.allowed[np.arange(len(action)), action]).any():
            raise ValueError(f"{int(bad.sum())} messages break the brand's rules")
        true, who = self.truth(asked, hour), asked.who
        luck = self.population.chance[asked.week, asked.round, who]
        lucky = {name: luck[:, at] for at, name in enumerate(LUCK)}
        says, never = action != NOTHING, np.full(len(who), np.inf)
        row, said = np.arange(len(who)), np.maximum(action, 0)
        at = np.where(says & (asked.touchpoint == EMAIL), asked.now - asked.now % DAY + hour, asked.now)
        orders = lucky["order"] < np.where(says, true.treated[row, said], true.nothing)
        ordered_at = np.where(orders, at + HOUR + lucky["delay"] * (self.world.delay_days * DAY - 2 * HOUR), never)
        told = Told(
            asked=asked,
            action=action,
            at=at,
            ordered_at=ordered_at,
            refused_at=np.where(says & (lucky["refusal"] < true.refuses[row, said]), at + HOUR, never),
            complained_at=np.where(says & (lucky["complaint"] < true.complains[row, said]), at + HOUR, never),
            left_at=np.where(says & (lucky["leaving"] < true.leaves[row, said]), at + 2 * HOUR, never),
            due_at=np.where(says & (said == brand.PROMISES), ordered_at + brand.PROMISED_WITHIN, never),
            broken=lucky["promise"] >= self.world.keeping,
            accepted=asked.sorry & (lucky["promise"] < truth.ACCEPTS_SORRY),
        )
        self._remember(told)
        return told, true

    def end_of_week(self, week: int) -> None:
        """Some leave for good, more of those who are sour."""
        at, everyone = WEEK * (week + 1), np.arange(self.population.size)
        hazard = self.world.churn * np.exp(truth.SOUR_LEAVES * self.memory.sourness(everyone, np.full(len(everyone), at)))
        leaves = self.population.fate[week] < 1 - np.exp(-hazard)
        self.left_at = np.where(leaves & (self.left_at > at), at, self.left_at)

    def _remember(self, told: Told) -> None:
        asked, says = told.asked, np.flatnonzero(told.action != NOTHING)
        who, at = asked.who[says], told.at[says]
        self.felt[who] = truth.left_of(self.felt[who], at - self.felt_at[who], self.world.rest_days * DAY) + 1.0
        self.felt_at[who] = at
        self.left_at[asked.who] = np.minimum(self.left_at[asked.who], told.left_at)
        self.memory.said(who, told.action[says], at, told.ordered_at[says])
        self.memory.refused(who, told.action[says], told.refused_at[says])
        self.memory.complained(who, told.complained_at[says])
        self.memory.said_sorry(asked.who[asked.sorry], told.at[asked.sorry], told.accepted[asked.sorry])
        self._orders.add(told.ordered_at, asked.who)
        self._promises.add(told.due_at, asked.who, told.broken)
        due = np.isfinite(told.due_at)
        self._ledger += list(zip(told.due_at[due].tolist(), (~told.broken[due]).tolist(), strict=True))

    def _hear(self, who: Ints, now: Floats) -> None:
        """What has happened to those who are met until now."""
        until = np.full(self.population.size, -np.inf)
        until[who] = now
        at, whose, _ = self._orders.until(until)
        self.memory.ordered(whose, at)
        at, whose, broken = self._promises.until(until)
        self.memory.let_down(whose[broken], at[broken])

    def _usual_hour(self, who: Ints) -> Ints:
        """When each has come most often so far, a little of what all do added; among the hours of outbound messages."""
        crowd = self._came.sum(axis=0)
        counts = self._came[who] + 4.0 * crowd / max(1.0, crowd.sum())
        hours = counts[:, brand.FIRST_HOUR : brand.LAST_HOUR + 1]
        return np.asarray(brand.FIRST_HOUR + hours.argmax(axis=1))
