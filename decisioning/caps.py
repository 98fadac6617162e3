"""Contacts counted: which caps a message counts against, and which are full."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import floor

from decisioning.catalog import Action, Catalog, Touchpoint
from decisioning.customer import Contact
from decisioning.domain import Job
from decisioning.policy import CONTACT_MEMORY, Cap, Fatigue

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, eq=False)
class Caps:
    """The caps of a touchpoint as counters: one for each count that a candidate belongs to.

    `counters` are by cap and key (see `key_of`); by counter `most`, and in `gates` the gate that it closes. What a contact
    counts against follows from its action, group, channel and job alone and is remembered in `_known`.
    """

    catalog: Catalog
    caps: tuple[Cap, ...]
    counters: Mapping[tuple[int, str], int]
    most: tuple[int, ...]
    gates: tuple[int, ...]
    _known: dict[tuple[str, str, str, Job | None], tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def counted(self, contacts: Iterable[Contact], now: datetime) -> list[int]:
        """How many contacts count against each counter at a moment: seen, or reserved and not yet expired."""
        found = [0] * len(self.most)
        since = [now - cap.within for cap in self.caps]
        for contact in contacts:
            if not contact.mandatory and counts(contact, now):
                for cap, counter in self.of(contact):
                    if contact.at > since[cap]:
                        found[counter] += 1
        return found

    def of(self, contact: Contact) -> tuple[tuple[int, int], ...]:
        """The caps that a contact counts against, each with its counter."""
        kind = (contact.action, contact.group, contact.channel, contact.job)
        found = self._known.get(kind)
        if found is None:
            found = self._known[kind] = tuple(self._counters(*kind))
        return found

    def _counters(self, action: str, group: str, channel: str, job: Job | None) -> Iterable[tuple[int, int]]:
        if job is None and (position := self.catalog.positions.get(action)) is not None:
            job = self.catalog.actions[position].job
        for at, cap in enumerate(self.caps):
            if counts_for(cap, action=action, group=group, channel=channel, job=job):
                key = {"action": action, "group": group, "channel": channel}.get(cap.each, "")
                if (counter := self.counters.get((at, key))) is not None:
                    yield at, counter


def counts_for(cap: Cap, *, action: str, group: str, channel: str, job: Job | None) -> bool:
    """Whether a message of an action, by a channel, is in the scope of a cap; one whose job nobody knows has none."""
    scope = cap.scope
    return (
        (not scope.group or group in scope.group)
        and (not scope.action or action in scope.action)
        and (not scope.channel or channel in scope.channel)
        and (not scope.job or job in scope.job)
    )


def key_of(cap: Cap, action: Action, touchpoint: Touchpoint) -> str:
    """Which of a cap's counts an action belongs to."""
    return {"action": action.name, "group": action.group, "channel": touchpoint.channel}.get(cap.each, "")


def ends(contact: Contact, window: timedelta) -> datetime:
    """When a contact that counts within a window no longer does: it is past it, or was reserved, not seen, and expires."""
    past = contact.at + window
    return past if contact.confirmed else min(past, contact.expires_at)


def full_until(counted: Sequence[Contact], most: int, window: timedelta) -> datetime:
    """When fewer than `most` of the contacts that count within a window are left. At least `most` contacts, 1 or more."""
    return sorted(ends(contact, window) for contact in counted)[len(counted) - most]


def allowance(fatigue: Fatigue, contacts: Iterable[Contact], now: datetime) -> int:
    """How many contacts this customer likes within the window: by how many of those they saw they answered.

    What is older than CONTACT_MEMORY says nothing any more, though it may still be kept. The share of answers is shrunk to
    the usual one, which counts as `weight` contacts.
    """
    since = now - CONTACT_MEMORY
    seen = [contact for contact in contacts if contact.at > since and contact.confirmed and not contact.mandatory]
    answered = sum(one.answered for one in seen) + fatigue.weight * fatigue.usual
    expected = (len(seen) + fatigue.weight) * fatigue.usual  # in one product: of whom nothing is known the ratio is exactly 1
    return fatigue.least + floor((fatigue.most - fatigue.least) * min(1.0, answered / expected))


def rested_at(fatigue: Fatigue, contacts: Sequence[Contact], now: datetime) -> datetime:
    """When a customer who is tired now no longer is: fewer contacts count than are liked by then.

    Until then contacts leave the window, and answers the memory: both only at moments that are known.
    """
    moments = {ends(one, fatigue.within) for one in counted_within(contacts, fatigue.within, now)}
    moments |= {one.at + CONTACT_MEMORY for one in contacts if one.confirmed}
    return next(
        moment
        for moment in sorted(moments)
        if moment > now and len(counted_within(contacts, fatigue.within, moment)) < allowance(fatigue, contacts, moment)
    )


def counts(contact: Contact, now: datetime) -> bool:
    """Whether a contact counts: it was seen, or is reserved and has not expired."""
    return contact.confirmed or contact.expires_at > now


def counted_within(contacts: Iterable[Contact], window: timedelta, now: datetime) -> list[Contact]:
    """The contacts that count within a window before now, or later, over all channels."""
    since = now - window
    return [one for one in contacts if one.at > since and not one.mandatory and counts(one, now)]
