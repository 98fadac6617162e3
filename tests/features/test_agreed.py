"""What a customer of several ids has agreed to: the strictest where ids become one, then the next word; in any order."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.agreed import Word, agreed
from features.join import Link

IDS = ("A", "B", "anonymous:x")


def link(source: str, target: str, at_us: int) -> Link:
    return Link(source=source, target=target, event_us=at_us, known_us=at_us)


def word(one: str, granted: bool, at_us: int, purpose: str = "marketing") -> Word:
    return one, purpose, granted, at_us


CASES = {
    "nobody said anything": ([], [link("A", "B", 1)], {}),
    "one alone: the last word": ([word("A", False, 1), word("A", True, 2)], [], {"marketing": (True, 2)}),
    "a refusal outweighs a later grant": (
        [word("A", False, 1), word("B", True, 2)],
        [link("A", "B", 3)],
        {"marketing": (False, 1)},
    ),
    "a refusal outweighs an earlier grant": (
        [word("A", True, 1), word("B", False, 2)],
        [link("A", "B", 3)],
        {"marketing": (False, 2)},
    ),
    "who said nothing takes nothing away": ([word("A", True, 1)], [link("anonymous:x", "A", 2)], {"marketing": (True, 1)}),
    "a later word of any id counts": (
        [word("A", False, 1), word("B", True, 2), word("A", True, 4)],
        [link("A", "B", 3)],
        {"marketing": (True, 4)},
    ),
    "a word after the link is of both": (
        [word("B", False, 2), word("A", True, 3)],
        [link("A", "B", 1)],
        {"marketing": (True, 3)},
    ),
    "at one moment the link comes first": (
        [word("A", False, 1), word("B", True, 2)],
        [link("A", "B", 2)],
        {"marketing": (True, 2)},
    ),
    "at one moment a refusal outweighs": ([word("A", False, 2), word("A", True, 2)], [], {"marketing": (False, 2)}),
    "each purpose by itself": (
        [word("A", False, 1, "service"), word("B", True, 2)],
        [link("A", "B", 3)],
        {"marketing": (True, 2), "service": (False, 1)},
    ),
}


@pytest.mark.parametrize(("words", "links", "expected"), CASES.values(), ids=CASES)
def test_what_holds(words: list[Word], links: list[Link], expected: dict[str, tuple[bool, int]]) -> None:
    assert agreed(words, links) == expected


words = st.lists(
    st.builds(word, st.sampled_from(IDS), st.booleans(), st.integers(0, 6), st.sampled_from(["m", "s"])), max_size=8
)
links = st.lists(st.builds(link, st.sampled_from(IDS), st.sampled_from(IDS[:2]), st.integers(0, 6)), max_size=4)


def slowly(words: list[Word], links: list[Link]) -> dict[str, tuple[bool, int]]:
    """For each purpose, moment by moment: groups of ids as sets, each with what holds for it."""
    found = {}
    for purpose in sorted({one[1] for one in words}):
        groups: list[tuple[set[str], tuple[bool, int] | None]] = [({one}, None) for one in IDS]
        for moment in range(8):
            for each in links:
                if each.event_us == moment:
                    mine = [group for group in groups if {each.source, each.target} & group[0]]
                    said = [group[1] for group in mine if group[1] is not None]
                    groups = [group for group in groups if group not in mine]
                    groups.append(
                        (set().union(*(ids for ids, _ in mine)), min(said, key=lambda one: (one[0], -one[1]), default=None))
                    )
            for at, (ids, _) in enumerate(groups):
                heard = [one[2] for one in words if one[0] in ids and one[1] == purpose and one[3] == moment]
                if heard:
                    groups[at] = (ids, (all(heard), moment))
        said = [holds for _, holds in groups if holds is not None]
        found[purpose] = min(said, key=lambda one: (one[0], -one[1]))
    return found


@given(words, links)
def test_it_is_what_going_through_every_moment_finds(words: list[Word], links: list[Link]) -> None:
    assert agreed(words, links) == slowly(words, links)


@given(words, links, st.randoms(use_true_random=False))
def test_it_is_the_same_in_any_order(words: list[Word], links: list[Link], chance: Random) -> None:
    mixed = (chance.sample(words, len(words)), chance.sample(links, len(links)))
    assert agreed(*mixed) == agreed(words, links)
