"""What a brand knows of each customer, as arrays: the same facts as `decisioning.customer.State`, and the rules over them.

Every policy is bound by these rules. The core finds the same by itself from the states; a test compares the two.
"""

import numpy as np
from numpy.typing import NDArray

from training.simulation import brand
from training.simulation.brand import DAY, GROUP_OF, GROUPS, NAMES, SELLS, WEEK
from training.simulation.truth import BREACH, COMPLAINT, left_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

KEPT = 32
"""Contacts remembered; more do not fit into sixty days at three a week."""
_FELT_HALVES, _ORDERS_HALVE = 7 * DAY, 30 * DAY


class Memory:
    """Of N customers."""

    def __init__(self, n: int) -> None:
        self._contact_at = np.full((n, KEPT), -np.inf)
        self._action = np.full((n, KEPT), -1)
        self._answered_at = np.full((n, KEPT), np.inf)
        self._refused_at = np.full((n, len(GROUPS)), -np.inf)
        self._complained_at = np.full(n, -np.inf)
        self._sour, self._sour_at = np.zeros(n), np.zeros(n)
        self._broken = np.zeros(n, dtype=np.bool_)
        self._sorry_at = np.full(n, -np.inf)
        self._felt, self._felt_at = np.zeros(n), np.zeros(n)
        self._orders, self._orders_at = np.zeros(n), np.zeros(n)
        self._last_order = np.full(n, np.nan)

    # ------------------------------------------------------------------------------------------------------------- facts

    def seen(self, who: Ints, now: Floats) -> Floats:
        """The moving features (n, len(MOVING)): messages still counted, recent orders, days since one, sourness."""
        return np.column_stack(
            [
                left_of(self._felt[who], now - self._felt_at[who], _FELT_HALVES),
                left_of(self._orders[who], now - self._orders_at[who], _ORDERS_HALVE),
                (now - self._last_order[who]) / DAY,
                self.sourness(who, now),
            ]
        )

    def sourness(self, who: Ints, now: Floats) -> Floats:
        """What is left of the last bad feeling, 0 to 1."""
        return left_of(self._sour[who], now - self._sour_at[who], brand.FEELING_HALVES)

    def passes(self, who: Ints, now: Floats, promises: tuple[int, int]) -> tuple[Flags, Flags]:
        """Where the brand is to say that it is sorry (n,), and which messages pass every rule (n, A)."""
        contact_at, action = self._contact_at[who], self._action[who]
        recent = contact_at > (now - WEEK)[:, None]
        weekly = recent.sum(axis=1)
        remembered = contact_at > (now - brand.MEMORY)[:, None]
        answered = (remembered & (self._answered_at[who] <= now[:, None])).sum(axis=1)
        usual, weight = brand.USUAL_ANSWERS, brand.ANSWERS_WEIGHT
        ratio = np.minimum(1.0, (answered + weight * usual) / ((remembered.sum(axis=1) + weight) * usual))
        likes = brand.WEEKLY_LEAST + np.floor((brand.WEEKLY_MOST - brand.WEEKLY_LEAST) * ratio)
        open_ = (weekly < brand.WEEKLY_MOST) & (weekly < likes) & ~self._broken[who]
        complaint = now < self._complained_at[who] + brand.COMPLAINT_STAYS
        upset = complaint | (self.sourness(who, now) >= brand.SUPPRESSING)
        paused = promises[0] >= brand.KEPT_AFTER and promises[1] / promises[0] < brand.KEPT_AT_LEAST
        allowed = np.empty((len(who), len(NAMES)), dtype=np.bool_)
        for at in range(len(NAMES)):
            cool = now >= self._refused_at[who, GROUP_OF[at]] + brand.COOL_DOWN
            fresh = (recent & (action == at)).sum(axis=1) < brand.SAME_MOST
            allowed[:, at] = open_ & cool & fresh & ~(upset & SELLS[at]) & ~(paused and at == brand.PROMISES)
        return self._broken[who] & (self._sorry_at[who] <= now - brand.SORRY_EVERY), allowed

    # ------------------------------------------------------------------------------------------------------ what happens

    def said(self, who: Ints, action: Ints, at: Floats, ordered_at: Floats) -> None:
        oldest = self._contact_at[who].argmin(axis=1)
        self._contact_at[who, oldest], self._action[who, oldest] = at, action
        self._answered_at[who, oldest] = ordered_at
        self._felt[who] = left_of(self._felt[who], at - self._felt_at[who], _FELT_HALVES) + 1.0
        self._felt_at[who] = at

    def refused(self, who: Ints, action: Ints, at: Floats) -> None:
        real = np.isfinite(at)
        self._refused_at[who[real], np.array(GROUP_OF)[action[real]]] = at[real]

    def complained(self, who: Ints, at: Floats) -> None:
        real = np.isfinite(at)
        self._complained_at[who[real]] = at[real]
        self._feel(who[real], at[real], COMPLAINT)

    def let_down(self, who: Ints, at: Floats) -> None:
        self._broken[who] = True
        self._feel(who, at, BREACH)

    def said_sorry(self, who: Ints, at: Floats, accepted: Flags) -> None:
        self._sorry_at[who] = at
        self._broken[who[accepted]] = False

    def ordered(self, who: Ints, at: Floats) -> None:
        """In the order of time; a customer may have ordered twice."""
        for one, when in zip(who.tolist(), at.tolist(), strict=True):
            self._orders[one] = self._orders[one] * 2.0 ** (-(when - self._orders_at[one]) / _ORDERS_HALVE) + 1.0
            self._orders_at[one] = self._last_order[one] = when

    def _feel(self, who: Ints, at: Floats, intensity: float) -> None:
        """The stronger of what is left and the new feeling stays."""
        for one, when in zip(who.tolist(), at.tolist(), strict=True):
            if intensity >= self._sour[one] * 2.0 ** (-(when - self._sour_at[one]) / brand.FEELING_HALVES):
                self._sour[one], self._sour_at[one] = intensity, when
