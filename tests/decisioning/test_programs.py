"""Compiled conditions: whatever is asked of whatever facts, they answer as the conditions that they were written from."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning import conditions
from decisioning.conditions import All, Condition, Not, Value, fields_of, holds, parse
from decisioning.conditions import Any as AnyOf
from decisioning.customer import Profile
from decisioning.facts import action_lookup, lookup
from decisioning.programs import Writer, known_before
from tests import worlds

INDEX = worlds.index()
PROFILE_FIELDS = ("profile.orders_90d", "profile.points", "profile.tier", "profile.age_band", "profile.unheard_of")
NAMED = ("state.known", "prediction.churn", "context.intent", "experiment.tone", "stage")
ACTION = ("action.value", "action.job", "action.topic", "action.partner")
NUMBERS = (-1.0, 0.0, 0.1, 1.0, 2.0, 5e300)
TEXTS = ("gold", "silver", "35+", "browse", "sell", "bakery", "true", "")

values: st.SearchStrategy[Value] = st.one_of(
    st.none(), st.booleans(), st.sampled_from(NUMBERS), st.sampled_from((*TEXTS, "said nowhere")), st.integers(-2, 2)
)
literals = st.one_of(st.booleans(), st.sampled_from(NUMBERS), st.sampled_from(TEXTS))


def comparisons(fields: tuple[str, ...]) -> st.SearchStrategy[Condition]:
    """As the parser makes them: only = and != compare with what is no number."""
    named = st.sampled_from(fields)
    return st.one_of(
        st.builds(conditions.Test, named, st.sampled_from(["=", "!="]), literals),
        st.builds(conditions.Test, named, st.sampled_from(["<", "<=", ">", ">="]), st.sampled_from(NUMBERS)),
        st.builds(conditions.Test, named, st.just("in"), st.lists(literals, min_size=1, max_size=3).map(tuple)),
        st.builds(conditions.Test, named, st.sampled_from(["missing", "present"])),
    )


def conditions_over(fields: tuple[str, ...]) -> st.SearchStrategy[Condition]:
    def joined(part: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        parts = st.lists(part, min_size=1, max_size=4).map(tuple)
        return st.one_of(st.builds(All, parts), st.builds(AnyOf, parts), st.builds(Not, part))

    return st.recursive(comparisons(fields), joined, max_leaves=10)


profiles = st.builds(
    lambda known: worlds.profile(of=INDEX, **known) if known else Profile.empty(INDEX),
    st.fixed_dictionaries(
        {},
        optional={
            "orders_90d": st.sampled_from([0.0, 0.1, 1.0, 2.0]),
            "points": st.sampled_from([-1.0, 5.0]),
            "tier": st.sampled_from(["bronze", "silver", "gold"]),
            "age_band": st.sampled_from(["19-24", "35+"]),
        },
    ),
)
facts = st.dictionaries(st.sampled_from(NAMED), values)


def answers(asked: list[Condition | bool], known: Mapping[str, Value], profile: Profile) -> list[bool]:
    writer = Writer(INDEX)
    numbered = [writer.add(one) for one in asked]
    programs = writer.done()
    out = np.zeros(programs.count, dtype=np.bool_)
    programs.run(0, programs.count, *programs.read(known, profile), out)
    return [bool(out[number]) for number in numbered]


@given(st.lists(conditions_over((*PROFILE_FIELDS, *NAMED)), min_size=1, max_size=5), facts, profiles)
def test_programs_answer_as_the_conditions_do(asked: list[Condition], known: dict[str, Value], profile: Profile) -> None:
    read = lookup(known, profile)
    assert answers(list(asked), known, profile) == [holds(one, read) for one in asked]


@given(
    conditions_over((*PROFILE_FIELDS, *NAMED, *ACTION)),
    facts,
    profiles,
    st.sampled_from([(), ("bakery",)]),
    st.sampled_from([None, "gold"]),
)
def test_what_is_left_once_the_action_is_known_asks_the_same_of_the_customer_alone(
    asked: Condition, known: dict[str, Value], profile: Profile, topics: tuple[str, ...], partner: str | None
) -> None:
    action = worlds.action(topics=topics, partner=partner, value=2.0)
    left = known_before(asked, action_lookup(action), "action")
    expected = holds(asked, lookup(known, profile, action))
    assert answers([left], known, profile) == [expected]
    if isinstance(left, bool):
        assert left is expected
    else:
        assert not any(field.startswith("action.") for field in fields_of(left))


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ("action.job = sell", True),
        ("action.job = serve", False),
        ("action.topic missing", True),
        ("state.known = true", "state.known = true"),
        (["action.job = sell", "state.known = true"], "state.known = true"),
        (["action.job = serve", "state.known = true"], False),
        ({"any": ["action.job = sell", "state.known = true"]}, True),
        ({"any": ["action.job = serve", "state.known = true"]}, "state.known = true"),
        ({"not": "action.job = sell"}, False),
        ({"not": ["action.job = sell", "stage = loyal"]}, {"not": "stage = loyal"}),
        (["action.job = sell", "state.known = true", "stage = loyal"], ["state.known = true", "stage = loyal"]),
    ],
    ids=str,
)
def test_what_the_action_decides_is_not_asked_of_the_customer(asked: Any, left: Any) -> None:
    found = known_before(parse(asked), action_lookup(worlds.action()), "action")
    assert found == (left if isinstance(left, bool) else parse(left))


def test_a_condition_that_is_asked_often_is_written_once() -> None:
    writer = Writer(INDEX)
    first, other = writer.add(parse("stage = loyal")), writer.add(parse("stage = active"))
    assert writer.add(parse("stage = loyal")) == first != other
    assert writer.add_new(parse("stage = loyal")) not in (first, other)
    assert writer.done().count == 3


def test_a_fact_may_be_written_between_two_runs_and_a_run_answers_only_its_own() -> None:
    writer = Writer(INDEX)
    writer.add(parse("state.known = true"))
    writer.add(parse("stage = loyal"))
    programs = writer.done()
    numbers, words = programs.read({"state.known": True}, worlds.profile())
    out = np.zeros(2, dtype=np.bool_)
    programs.run(0, 1, numbers, words, out)
    assert out.tolist() == [True, False]
    programs.put(programs.slots["stage"], "loyal", numbers, words)
    programs.run(1, 2, numbers, words, out)
    assert out.tolist() == [True, True]


def test_reading_facts_leaves_the_profile_as_it_was_and_no_memory_of_the_last_customer() -> None:
    writer = Writer(INDEX)
    for field in ("profile.points", "profile.tier", "context.intent"):
        writer.add(parse(f"{field} present"))
    programs = writer.done()
    profile = worlds.profile()
    numbers, words = programs.read({"context.intent": "browse"}, profile)
    numbers[:], words[:] = 7.0, 7
    assert profile.get("points") == 1234.0 and profile.get("tier") == "gold"
    out = np.ones(3, dtype=np.bool_)
    programs.run(0, 3, *programs.read({}, Profile.empty(INDEX)), out)
    assert out.tolist() == [False] * 3


@pytest.mark.parametrize("depth", [1, 2, 50])
def test_conditions_may_be_nested_as_deeply_as_one_likes(depth: int) -> None:
    condition: Condition = parse("state.known = true")
    for at in range(depth):
        condition = (
            All((parse("state.known = true"), condition)) if at % 2 else AnyOf((parse("stage = x"), Not(Not(condition))))
        )
    assert answers([condition], {"state.known": True}, worlds.profile()) == [True]
    assert answers([condition], {"state.known": False}, worlds.profile()) == [False]
