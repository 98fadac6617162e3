"""Whether the limits of contact make sense: none may look further back than contacts are remembered."""

from collections.abc import Iterator
from datetime import timedelta

from decisioning.check_conditions import scope_faults
from decisioning.known_names import Fault, Known
from decisioning.policy import CONTACT_MEMORY, Contact, Fatigue, MaybeLater

_NONE = timedelta(0)
_WITHIN = f"must be longer than 0 and at most {CONTACT_MEMORY.days}d"


def contact_faults(contact: Contact, known: Known) -> Iterator[Fault]:
    for at, cap in enumerate(contact.caps):
        path = ("contact", "caps", str(at))
        yield from (("policy", (*path, "scope"), fault) for fault in scope_faults(cap.scope, known))
        if cap.most < 1:
            yield "policy", (*path, "most"), "is below 1; to forbid a contact altogether write a rule"
        if not _NONE < cap.within <= CONTACT_MEMORY:
            yield "policy", (*path, "within"), _WITHIN
        if cap.each not in ("customer", "action", "group", "channel"):
            yield "policy", (*path, "each"), f"{cap.each!r} is not one of customer, action, group, channel"
    if not _NONE <= contact.cool_down <= CONTACT_MEMORY:
        yield "policy", ("contact", "cool_down"), f"must be at most {CONTACT_MEMORY.days}d"
    for key, cause in _fatigue_faults(contact.fatigue) if contact.fatigue is not None else ():
        yield "policy", ("contact", "fatigue", key), cause
    for key, cause in _later_faults(contact.maybe_later):
        yield "policy", ("contact", "maybe_later", key), cause


def _fatigue_faults(fatigue: Fatigue) -> Iterator[tuple[str, str]]:
    if not _NONE < fatigue.within <= CONTACT_MEMORY:
        yield "within", _WITHIN
    if fatigue.least < 0:
        yield "least", "is below 0; use 0 or more"
    if fatigue.most < max(fatigue.least, 1):
        yield "most", "must be at least 1, and at least as much as least"
    if not 0 < fatigue.usual <= 1:
        yield "usual", "is a share of messages answered: above 0 and at most 1"
    if fatigue.weight <= 0:
        yield "weight", "counts messages: above 0"


def _later_faults(later: MaybeLater) -> Iterator[tuple[str, str]]:
    if not 0 <= later.to <= 1:
        yield "to", "is a factor from 0 to 1"
    for key in ("down", "up"):
        if getattr(later, key) <= _NONE:
            yield key, "must be longer than 0"
    if later.down + later.up > CONTACT_MEMORY:
        yield "up", f'ends later than a "maybe later" is remembered; down and up together are at most {CONTACT_MEMORY.days}d'
