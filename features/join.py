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
from collections.abc import Iterable
from dataclasses import dataclass

ANONYMOUS = "anonymous:"
"""What an anonymous id begins with, and a known id never does. Alone it is nobody's id."""
LONGEST_ID = 200
"""Characters of an id as a brand or a device gives it."""
LONGEST_LOGGED_ID = LONGEST_ID + len(ANONYMOUS)
"""Characters of an id as the log keeps it."""

ALWAYS = -(2**62)
NEVER = 2**62
"""Moments before and after all others, in microseconds since 1970."""


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
            self._put(link)

    def add(self, link: Link) -> frozenset[str]:
        """Add a link; all ids whose customer may be another one than before (none where it tells nothing new)."""
        return frozenset(member for one in self._put(link) for member in self.customer(one).members)

    def customer(self, customer_id: str) -> Customer:
        """Whom an id means; itself where no link names it."""
        return self.customers([customer_id])[customer_id]

    def customers(self, ids: Iterable[str]) -> dict[str, Customer]:
        """The same for many ids: each customer is made once, however many of its ids are asked for."""
        found: dict[str, Customer] = {}
        made: dict[int | str, Customer] = {}
        for one in ids:
            known_id = self._owner[one][1] if one in self._owner else one
            key = id(self._known[known_id]) if known_id in self._known else known_id
            if key not in made:
                made[key] = self._made(known_id)
            found[one] = made[key]
        return found

    def names(self) -> dict[str, str]:
        """The customer's name for each id that is not its own."""
        everybody = self.customers({*self._owner, *self._known})
        return {one: customer.name for one, customer in everybody.items() if customer.name != one}

    def _made(self, known_id: str) -> Customer:
        known = self._known.get(known_id, {known_id})
        members = known.union(*(self._visitors[one] for one in known if one in self._visitors))
        return Customer(name=self._name(known), members=tuple(sorted(members)))

    def _put(self, link: Link) -> tuple[str, ...]:
        """Put a link in; an id of each customer that may be another one than before."""
        source, target = link.source, link.target
        if source == target:
            return ()
        if is_anonymous(source):
            return self._visited(source, (link.event_us, target))
        together = self._known.get(source, {source}), self._known.get(target, {target})
        are_one = together[0] is together[1]
        name = self._name(together[0])
        into, other = sorted(together, key=len, reverse=True)
        if not are_one:
            into |= other
            self._known.update(dict.fromkeys((*other, source, target), into))
        self._replaced[source].add(target)
        self._named_us[target] = max(self._named_us.get(target, ALWAYS), link.event_us)
        return () if are_one and self._name(into) == name else (target,)

    def _visited(self, visitor: str, by: tuple[int, str]) -> tuple[str, ...]:
        before = self._owner.get(visitor)
        if before is not None and before <= by:
            return ()
        self._owner[visitor] = by
        if before is not None:
            if before[1] == by[1]:
                return ()
            self._visitors[before[1]].discard(visitor)
        self._visitors[by[1]].add(visitor)
        return (by[1],) if before is None else (by[1], before[1])

    def _name(self, known: set[str]) -> str:
        def place(one: str) -> tuple[bool, int, str]:
            return bool(self._replaced.get(one)), -self._named_us.get(one, ALWAYS), one

        return min(known, key=place)
