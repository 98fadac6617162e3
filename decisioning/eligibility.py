"""Who may be told what: the gates of a touchpoint, opened and closed for one customer at one moment."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from decisioning import caps, preferences
from decisioning.customer import State
from decisioning.domain import Ledger, TrialGroup
from decisioning.programs import Flags
from decisioning.rulebook import Gates, Plan, Rulebook
from decisioning.standing import Standing
from decisioning.tiers import Key

PASSES = -1


class Customer(Protocol):
    """What the gates look at besides conditions (see `decisioning.sifting.Asked`)."""

    @property
    def state(self) -> State: ...
    @property
    def standing(self) -> Standing: ...
    @property
    def known(self) -> bool: ...
    @property
    def group(self) -> TrialGroup: ...
    @property
    def stock(self) -> Mapping[str, int]: ...
    @property
    def ledger(self) -> Mapping[str, Ledger]: ...
    @property
    def rulebook(self) -> Rulebook: ...
    @property
    def now(self) -> datetime: ...


def close(plan: Plan, customer: Customer, stage: str, flags: Flags) -> None:
    """Close the gates that something speaks against, at a stage of the journey."""
    keys = plan.gates.keys
    for key in _against(plan, customer):
        if (at := keys.get(key)) is not None:
            flags[at] = False
    flags[plan.out_of_tone[stage, customer.standing.mood]] = False
    _make_good(plan, customer, flags)
    counts = plan.caps.counted(customer.state.contacts, customer.now)
    for count, most, gate in zip(counts, plan.caps.most, plan.caps.gates, strict=True):
        if count >= most:
            flags[gate] = False


def close_late(plan: Plan, earliest: datetime | None, flags: Flags) -> None:
    """Close the gates of what must go before the first moment at which it can; None where there is none."""
    for until, gate in plan.deadlines:
        if earliest is None or (until is not None and until <= earliest):
            flags[gate] = False


def failures(gates: Gates, flags: Flags) -> NDArray[np.int32]:
    """(n,): the line at which each candidate fails first, PASSES where it fails at none."""
    out = np.empty(len(gates.start) - 1, dtype=np.int32)
    _first_closed(gates.gate, gates.start, flags, out)
    return out


def _against(plan: Plan, customer: Customer) -> Iterator[Key]:
    """What speaks against a candidate, in no order: the gates know theirs."""
    state, policy, now = customer.state, customer.rulebook.policy, customer.now
    for name, purpose in policy.purposes.items():
        if not state.consents.get(name, purpose.default):
            yield "consent", name
    if plan.touchpoint.channel in state.closed_channels:
        yield ("channel_open",)
    if state.preferences:
        yield from _declined(plan, customer)
    if not customer.known:
        yield ("known",)
    if customer.group == "control":
        yield ("treated",)
    for action, promised in customer.ledger.items():
        if promised.ended >= policy.promises.after and promised.kept / promised.ended < policy.promises.at_least:
            yield "promises_kept", action
    for why in customer.standing.suppressed:
        yield (f"no_{why}",)
    for one in state.refusals:
        if now < one.at + policy.contact.cool_down:
            yield "cooled_down", one.group
    fatigue = policy.contact.fatigue
    if fatigue is not None and len(caps.counted_within(state.contacts, fatigue.within, now)) >= caps.allowance(
        fatigue, state.contacts, now
    ):
        yield ("not_tired",)
    for action, every in plan.repeated:
        if any(one.action == action and one.at > now - every and caps.counts(one, now) for one in state.contacts):
            yield "long_ago", action
    for action, left in customer.stock.items():
        if left <= 0:
            yield "in_stock", action


def _declined(plan: Plan, customer: Customer) -> Iterator[Key]:
    """What the customer asked not to get."""
    for about, word in customer.state.preferences.items():
        space, _, name = about.partition(":")
        if about == preferences.PAUSE:
            if word.until is not None and customer.now < word.until:
                yield ("not_paused",)
        elif about == preferences.PACE:
            if (
                word.a_week is not None
                and len(caps.counted_within(customer.state.contacts, caps.WEEK, customer.now)) >= word.a_week
            ):
                yield ("pace",)
        elif word.wanted == "none":
            if space != "channel":
                yield f"{space}_wanted", name
            elif name == plan.touchpoint.channel:
                yield ("channel_wanted",)


def _make_good(plan: Plan, customer: Customer, flags: Flags) -> None:
    """While a broken promise has something here that makes up for it, nothing else is said."""
    if not customer.standing.make_good or "recover" not in plan.touchpoint.jobs:
        return
    if any(action.name in customer.standing.make_good for action in plan.actions):
        for action in plan.actions:
            if action.name not in customer.standing.make_good and not action.mandatory:
                flags[plan.gates.keys["makes_good", action.name]] = False


@njit(cache=True, nogil=True)
def _first_closed(gate: NDArray[np.int32], start: NDArray[np.int32], flags: Flags, out: NDArray[np.int32]) -> None:
    for k in range(len(out)):
        out[k] = -1
        for at in range(start[k], start[k + 1]):
            if not flags[gate[at]]:
                out[k] = at
                break
