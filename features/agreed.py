"""What a customer of several ids has agreed to: the strictest of what was said when ids became one, until the next word.

Pure, and the same in every order of the words and the links.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby

from features.join import Link

Word = tuple[str, str, bool, int]
"""An id, a purpose, whether it was granted, and when it was said (microseconds since 1970)."""

Said = tuple[bool, int]
"""Whether it was granted, and when that was said."""


def agreed(words: Iterable[Word], links: Iterable[Link]) -> dict[str, Said]:
    """What holds for each purpose that any of one customer's ids spoke of. Other purposes were never spoken of.

    A word holds for all ids that were one by then, until the next. When ids become one, a refusal outweighs a grant;
    an id that has said nothing takes nothing away. At one moment links come before words, and a refusal outweighs.
    """
    whole = _Whole()
    told = [(link.event_us, 0, link, None) for link in links] + [(word[3], 1, None, word) for word in words]
    for _, at_once in groupby(sorted(told, key=lambda one: one[:2]), key=lambda one: one[:2]):
        whole.take([(link, word) for _, _, link, word in at_once])
    return _strictest(whole.said())


class _Whole:
    """Ids that are one by now, and what holds for each such group."""

    def __init__(self) -> None:
        self._group: dict[str, str] = {}
        self._said: dict[str, dict[str, Said]] = defaultdict(dict)

    def take(self, told: list[tuple[Link | None, Word | None]]) -> None:
        """Links of one moment, or words of one moment."""
        fresh: dict[tuple[str, str], Said] = {}
        for link, word in told:
            if link is not None:
                self._join(self._of(link.source), self._of(link.target))
            if word is not None:
                who, purpose, granted, at_us = word
                place = (self._of(who), purpose)
                fresh[place] = (granted and fresh.get(place, (True, 0))[0], at_us)
        for (group, purpose), said in fresh.items():
            self._said[group][purpose] = said

    def said(self) -> Iterable[Mapping[str, Said]]:
        return self._said.values()

    def _of(self, one: str) -> str:
        path = []
        while (parent := self._group.get(one, one)) != one:
            path.append(one)
            one = parent
        self._group.update(dict.fromkeys(path, one))
        return one

    def _join(self, one: str, other: str) -> None:
        if one != other:
            self._group[other] = one
            self._said[one] = _strictest((self._said[one], self._said.pop(other, {})))


def _strictest(said: Iterable[Mapping[str, Said]]) -> dict[str, Said]:
    """A refusal before a grant, of two of a kind the later."""
    found: dict[str, Said] = {}
    for one in said:
        for purpose, (granted, at_us) in one.items():
            before = found.get(purpose, (True, at_us))
            if before[0] == granted:
                found[purpose] = (granted, max(before[1], at_us))
            elif not granted:
                found[purpose] = (granted, at_us)
    return found
