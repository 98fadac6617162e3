"""Who is who: which ids are one customer, and which of them names that customer. Pure: links in, answers out.

An id is known (the brand gave it) or anonymous (`anonymous:` and what a device or a browser calls itself). A link says that
`source` is the customer whom `target`, a known id, names. The order in which links arrive changes nothing:

- an anonymous id belongs to the known one it was linked with first by event time; on a shared device the later ones link
  nothing, so that two people never become one through a third thing;
- known ids are joined by every link between them (an alias), however many lie between;
- a customer is named by the known id that no other one replaced; of several by the one that a link named last, then by the
  smaller.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ANONYMOUS = "anonymous:"
"""What an anonymous id begins with, and a known id never does."""

ALWAYS = -(2**62)
NEVER = 2**62
"""Moments before and after all others, in microseconds since 1970."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """`source` is the customer whom `target` names, since `event_us`; known since `known_us` (microseconds since 1970)."""

    source: str
    target: str
    event_us: int
    known_us: int

    def __post_init__(self) -> None:
        if is_anonymous(self.target):
            raise ValueError(f"a link leads to a known id, not to {self.target!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """`members` (sorted, `name` among them) are one customer, whom `name` names."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """From `start_us` on, until `end_us` (excluded), it was known that these ids are one customer."""

    customer: Customer
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Spread:
    """What each customer's profile is folded from. Row i brings input row `rows[i]`, known of `names[i]` at `moment_us[i]`.

    `epochs` numbers what must be folded apart: where it changes the fold begins anew. Within one number rows stand in the
    order of the input; what they say holds until `end_us[i]` at most.
    """

    rows: Ints
    names: Sequence[str]
    moment_us: Ints
    epochs: Ints
    end_us: Ints


def is_anonymous(customer_id: str) -> bool:
    return customer_id.startswith(ANONYMOUS)


class Joined:
    """Customers as the links imply that were added so far."""

    def __init__(self, links: Iterable[Link] = ()) -> None:
        self._owner: dict[str, tuple[int, str]] = {}  # of an anonymous id: when, and whom
        self._visitors: dict[str, set[str]] = defaultdict(set)  # a known id's anonymous ones
        self._known: dict[str, set[str]] = {}  # all known ids that are one; one set for all of them
        self._replaced: dict[str, set[str]] = defaultdict(set)  # a known id, by which other ones
        self._named_us: dict[str, int] = {}  # a known id, when a link named it last
        for link in links:
            self.add(link)

    def add(self, link: Link) -> frozenset[str]:
        """Add a link; all ids whose customer may be another one than before (none where it tells nothing new)."""
        source, target = link.source, link.target
        if source == target:
            return frozenset()
        if is_anonymous(source):
            return self._visited(source, (link.event_us, target))
        together = self._all_known(source) | self._all_known(target)
        before = {of.name for of in map(self.customer, (source, target))}
        was = {one: self.customer(one).name for one in together} if len(before) == 1 else {}
        for one in together:
            self._known[one] = together
        self._replaced[source].add(target)
        self._named_us[target] = max(self._named_us.get(target, ALWAYS), link.event_us)
        if was and self.customer(target).name == was[target]:
            return frozenset()
        return frozenset(self.customer(target).members)

    def customer(self, customer_id: str) -> Customer:
        """Whom an id means; itself where no link names it."""
        if is_anonymous(customer_id):
            if customer_id not in self._owner:
                return Customer(name=customer_id, members=(customer_id,))
            return self.customer(self._owner[customer_id][1])
        known = self._all_known(customer_id)
        members = known.union(*(self._visitors[one] for one in known if one in self._visitors))
        return Customer(name=self._name(known), members=tuple(sorted(members)))

    def names(self) -> dict[str, str]:
        """The customer's name for each id that is not its own."""
        found = {}
        for one in {*self._owner, *self._known}:
            name = self.customer(one).name
            if name != one:
                found[one] = name
        return found

    def _visited(self, visitor: str, by: tuple[int, str]) -> frozenset[str]:
        before = self._owner.get(visitor)
        if before is not None and before <= by:
            return frozenset()
        self._owner[visitor] = by
        if before is not None:
            if before[1] == by[1]:
                return frozenset()
            self._visitors[before[1]].discard(visitor)
        self._visitors[by[1]].add(visitor)
        left = () if before is None else self.customer(before[1]).members
        return frozenset((*self.customer(by[1]).members, *left))

    def _all_known(self, customer_id: str) -> set[str]:
        return self._known.get(customer_id) or {customer_id}

    def _name(self, known: set[str]) -> str:
        def place(one: str) -> tuple[bool, int, str]:
            return bool(self._replaced.get(one)), -self._named_us.get(one, ALWAYS), one

        return min(known, key=place)


def epochs(links: Iterable[Link]) -> list[Epoch]:
    """What was known of the ids in these links, when: every id is in one epoch at every moment. In no particular order.

    Links that became known at one moment take effect together.
    """
    by_moment: dict[int, list[Link]] = defaultdict(list)
    for link in links:
        by_moment[link.known_us].append(link)
    joined = Joined()
    named = {one for those in by_moment.values() for link in those for one in (link.source, link.target)}
    began: dict[Customer, int] = {Customer(name=one, members=(one,)): ALWAYS for one in named}
    current = {customer.name: customer for customer in began}  # by id
    done = []
    for moment_us in sorted(by_moment):
        touched = frozenset().union(*(joined.add(link) for link in by_moment[moment_us]))
        after = {one: joined.customer(one) for one in touched}
        for customer in {current[one] for one in touched} - set(after.values()):
            done.append(Epoch(customer=customer, start_us=began.pop(customer), end_us=moment_us))
        for one, customer in after.items():
            began.setdefault(customer, moment_us)
            current[one] = customer
    return done + [Epoch(customer=customer, start_us=start, end_us=NEVER) for customer, start in began.items()]


class Known:
    """Whom ids meant at each moment, by what was known then. False where no id means another one.

    `epochs` are those of the ids in the links, by the moment they begin.
    """

    def __init__(self, links: Iterable[Link] = ()) -> None:
        self.links = tuple(links)
        self.epochs = sorted(epochs(self.links), key=lambda one: (one.start_us, one.customer.name))
        self._of: dict[str, list[Epoch]] = defaultdict(list)
        for epoch in self.epochs:
            for member in epoch.customer.members:
                self._of[member].append(epoch)

    def __bool__(self) -> bool:
        return bool(self._of)

    def names(self, ids: Sequence[str], before_us: Sequence[int] | Ints) -> list[str]:
        """The customer whom each id meant just before a moment."""
        if not self._of:
            return list(ids)
        return [self._at(one, int(before_us[at]) - 1).customer.name if one in self._of else one for at, one in enumerate(ids)]

    def last(self) -> Mapping[str, str]:
        """The customer's name for each id that is not its own, by everything that is known."""
        return {
            member: epoch.customer.name
            for epoch in self.epochs
            if epoch.end_us == NEVER
            for member in epoch.customer.members
            if member != epoch.customer.name
        }

    def turns(self) -> list[tuple[str, int]]:
        """The ids and moments (microseconds) at which what was known of them under that name holds no longer."""
        begun = {(epoch.customer.name, epoch.start_us) for epoch in self.epochs if epoch.start_us != ALWAYS}
        return sorted(begun.union((epoch.customer.name, epoch.end_us) for epoch in self.epochs if epoch.end_us != NEVER))

    def spread(self, ids: Sequence[str], moment_us: Ints) -> Spread:
        """What records of these ids, known at these moments (n,), bring to which customers and when.

        When ids become one customer, all that was known of each counts for the customer from that moment on.
        """
        count = len(ids)
        if not self._of:
            return Spread(np.arange(count), ids, moment_us, np.zeros(count, dtype=np.int64), np.full(count, NEVER))
        linked = np.fromiter((one in self._of for one in ids), dtype=np.bool_, count=count)
        of: dict[str, list[int]] = defaultdict(list)
        for at in np.flatnonzero(linked).tolist():
            of[ids[at]].append(at)
        alone = np.flatnonzero(~linked)
        rows, moments, numbers = [alone], [moment_us[alone]], [np.zeros(len(alone), dtype=np.int64)]
        ends = [np.full(len(alone), NEVER)]
        names = [ids[at] for at in alone.tolist()]
        for number, epoch in enumerate(self.epochs, start=1):
            theirs = np.sort(np.array([at for member in epoch.customer.members for at in of.get(member, ())], dtype=np.int64))
            theirs = theirs[moment_us[theirs] < epoch.end_us]
            rows.append(theirs)
            moments.append(np.maximum(moment_us[theirs], epoch.start_us))
            numbers.append(np.full(len(theirs), number, dtype=np.int64))
            ends.append(np.full(len(theirs), epoch.end_us))
            names += [epoch.customer.name] * len(theirs)
        joined = (np.concatenate(parts) for parts in (moments, numbers, ends))
        return Spread(np.concatenate(rows), names, *joined)

    def _at(self, one: str, moment_us: int) -> Epoch:
        return next(epoch for epoch in self._of[one] if epoch.start_us <= moment_us < epoch.end_us)
