"""Whom ids meant at each moment, by what was known then: the links of `features.join`, laid out in time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.decay import Ints
from features.join import ALWAYS, NEVER, Customer, Joined, Link


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


def epochs(links: Iterable[Link]) -> list[Epoch]:
    """What was known of the ids in these links, when: every id is in one epoch at every moment. By the moment they begin.

    Links that became known at one moment take effect together.
    """
    by_moment: dict[int, list[Link]] = defaultdict(list)
    for link in links:
        by_moment[link.known_us].append(link)
    joined = Joined()
    named = {one for those in by_moment.values() for link in those for one in (link.source, link.target)}
    current = {one: Customer(name=one, members=(one,)) for one in named}  # by id
    began = dict.fromkeys(named, ALWAYS)  # by the name of a current customer
    done = []
    for moment_us in sorted(by_moment):
        after: dict[str, Customer] = {}
        for one in frozenset().union(*(joined.add(link) for link in by_moment[moment_us])):
            if one not in after:
                customer = joined.customer(one)
                after.update(dict.fromkeys(customer.members, customer))
        changed = {one: customer for one, customer in after.items() if current[one] != customer}
        for customer in {current[one].name: current[one] for one in changed}.values():
            done.append(Epoch(customer=customer, start_us=began.pop(customer.name), end_us=moment_us))
        current.update(changed)
        began.update((customer.name, moment_us) for customer in changed.values())
    done += [Epoch(customer=current[name], start_us=start_us, end_us=NEVER) for name, start_us in began.items()]
    return sorted(done, key=lambda one: (one.start_us, one.customer.name))


class Known:
    """Whom ids meant at each moment, by what was known then. False where no id means another one.

    `epochs` are those of the ids in the links, by the moment they begin.
    """

    def __init__(self, links: Iterable[Link] = ()) -> None:
        self.links = tuple(links)
        self.epochs = epochs(self.links)
        # a place an id and epoch, the places of an id side by side in the order of time
        ids: dict[str, list[int]] = defaultdict(list)
        for number, epoch in enumerate(self.epochs):
            for member in epoch.customer.members:
                ids[member].append(number)
        self._code = {one: code for code, one in enumerate(ids)}
        self._ends = np.cumsum([0, *map(len, ids.values())])
        self._epoch: Ints = np.fromiter((number for those in ids.values() for number in those), dtype=np.int64)
        self._start_us: Ints = np.array([epoch.start_us for epoch in self.epochs], dtype=np.int64)
        self._end_us: Ints = np.array([epoch.end_us for epoch in self.epochs], dtype=np.int64)

    def __bool__(self) -> bool:
        return bool(self.epochs)

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
        codes = self._codes(ids)
        alone, linked = np.flatnonzero(codes < 0), np.flatnonzero(codes >= 0)
        # a row each epoch that the record's id was ever in, and was known before its end
        counts = (np.diff(self._ends))[codes[linked]]
        rows = np.repeat(linked, counts)
        first = np.repeat(self._ends[codes[linked]] - np.cumsum(counts) + counts, counts)
        epoch = self._epoch[first + np.arange(len(rows))]
        held = moment_us[rows] < self._end_us[epoch]
        rows, epoch = rows[held], epoch[held]
        order = np.lexsort((rows, epoch))
        rows, epoch = rows[order], epoch[order]
        customers = [one.customer.name for one in self.epochs]
        return Spread(
            rows=np.concatenate([alone, rows]),
            names=[*(ids[at] for at in alone.tolist()), *(customers[number] for number in epoch.tolist())],
            moment_us=np.concatenate([moment_us[alone], np.maximum(moment_us[rows], self._start_us[epoch])]),
            epochs=np.concatenate([np.zeros(len(alone), dtype=np.int64), epoch + 1]),
            end_us=np.concatenate([np.full(len(alone), NEVER), self._end_us[epoch]]),
        )

    def _codes(self, ids: Sequence[str]) -> Ints:
        """(n,): the place of each id among those in the links, -1 for the others."""
        return np.fromiter((self._code.get(one, -1) for one in ids), dtype=np.int64, count=len(ids))
