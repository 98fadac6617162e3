"""Conditions: what is read, what holds, and whether the hint of one that fails is true."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning import conditions
from decisioning.conditions import Condition, Not, Value, fields_of, holds, parse, unlock
from decisioning.errors import ConditionError

FIELDS = ("profile.x", "profile.y", "state.known", "stage")
WORDS = ("gold", "silver", "on hold", "true", "12", "O'Neill", "a or b")


@pytest.mark.parametrize(
    ("line", "field", "op", "literal"),
    [
        ("profile.orders_90d >= 2", "profile.orders_90d", ">=", 2.0),
        ("  profile.x<-1.5e3 ", "profile.x", "<", -1500.0),
        ("stage = at_risk", "stage", "=", "at_risk"),
        ("state.known = true", "state.known", "=", True),
        ("state.known != false", "state.known", "!=", False),
        ("context.code = '0012'", "context.code", "=", "0012"),
        ('context.word = "true"', "context.word", "=", "true"),
        ("context.who = O'Neill", "context.who", "=", "O'Neill"),
        ("context.what = infinity", "context.what", "=", "infinity"),
        ("profile.tier in [gold, platinum]", "profile.tier", "in", ("gold", "platinum")),
        ("profile.x in [1, 2.5]", "profile.x", "in", (1.0, 2.5)),
        ("profile.since_order missing", "profile.since_order", "missing", None),
        ("profile.since_order present", "profile.since_order", "present", None),
    ],
)
def test_a_line_is_a_field_an_operator_and_a_literal(line: str, field: str, op: str, literal: object) -> None:
    test = parse(line)
    assert isinstance(test, conditions.Test)
    assert (test.field, test.op, test.literal) == (field, op, literal)


@pytest.mark.parametrize(
    ("written", "at_fault"),
    [
        ("profile.x is 2", "profile.x is 2"),
        ("profile.x >=", "profile.x >="),
        ("profile.x > many", "many"),
        ("profile.x >= true", "true"),
        ("profile.x missing 2", "profile.x missing 2"),
        ("profile.x in gold", "profile.x in gold"),
        ("profile.x in []", "profile.x in []"),
        ("profile.x + 1 > 2", "profile.x + 1 > 2"),
        ("len(profile.x) > 2", "len(profile.x) > 2"),
        ("", "''"),
        (3, "3"),
        (None, "None"),
        ([], "empty"),
        ({"any": []}, "empty"),
        ({"all": []}, "empty"),
        ({"none": ["profile.x = 1"]}, "none"),
        ({"any": "profile.x = 1"}, "any"),
        ({"all": ["stage = a"], "not": "stage = b"}, "stage = a"),
        ({"not": {"any": ["stage = a", "stage ~ b"]}}, "stage ~ b"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_text_at_fault(written: object, at_fault: str) -> None:
    with pytest.raises(ConditionError) as fault:
        parse(written)
    assert at_fault in str(fault.value)


@pytest.mark.parametrize(
    ("line", "value", "expected"),
    [
        ("profile.x >= 2", 2.0, True),
        ("profile.x > 2", 2.0, False),
        ("profile.x < 2", 1.9, True),
        ("profile.x <= 2", 2.1, False),
        ("profile.x = 2", 2.0, True),
        ("profile.x != 2", 2.0, False),
        ("profile.x >= 2", "gold", False),
        ("profile.x in [gold, silver]", "gold", True),
        ("profile.x in [gold, silver]", "bronze", False),
        ("profile.x = true", True, True),
        # a missing value satisfies only `missing` and `!=`
        ("profile.x missing", None, True),
        ("profile.x present", None, False),
        ("profile.x != 2", None, True),
        ("profile.x = 2", None, False),
        ("profile.x < 2", None, False),
        ("profile.x >= 2", None, False),
        ("profile.x in [2]", None, False),
        ("profile.x missing", 0.0, False),
        ("profile.x present", 0.0, True),
    ],
)
def test_a_comparison_holds_as_written(line: str, value: Value, expected: bool) -> None:
    assert holds(parse(line), {"profile.x": value}.get) is expected


def test_a_list_means_all_of_them_and_any_and_not_mean_what_they_say() -> None:
    facts = {"profile.x": 3.0, "stage": "active"}.get
    assert holds(parse(["profile.x > 2", "stage = active"]), facts)
    assert not holds(parse(["profile.x > 2", "stage = lapsed"]), facts)
    assert holds(parse({"any": ["profile.x > 5", "stage = active"]}), facts)
    assert not holds(parse({"not": {"any": ["profile.x > 5", "stage = active"]}}), facts)
    assert holds(parse({"not": {"all": ["profile.x > 2", {"not": "stage = active"}]}}), facts)


@pytest.mark.parametrize(
    ("written", "facts", "hint"),
    [
        ("profile.x >= 2", {"profile.x": 1.23456789}, "profile.x >= 2 (is 1.23457)"),
        ("profile.x >= 1234567", {"profile.x": 5.0}, "profile.x >= 1234567.0 (is 5)"),
        ("profile.x >= 2", {}, "profile.x >= 2 (is missing)"),
        ("profile.x >= 2", {"profile.x": 2.0}, ""),
        ("state.known = true", {"state.known": False}, "state.known = true (is false)"),
        ("context.code = '0012'", {"context.code": "7"}, "context.code = '0012' (is '7')"),
        (["stage = a", "profile.x > 1"], {"stage": "b", "profile.x": 0.0}, "stage = a (is b) and profile.x > 1 (is 0)"),
        ({"any": ["stage = a", "stage = c"]}, {"stage": "b"}, "stage = a (is b) or stage = c (is b)"),
        (
            ["profile.x > 1", {"any": ["stage = a", "stage = c"]}],
            {"stage": "b", "profile.x": 0.0},
            "profile.x > 1 (is 0) and (stage = a (is b) or stage = c (is b))",
        ),
        ({"not": "stage in [a, b]"}, {"stage": "b"}, "stage != b (is b)"),
        ({"not": "profile.x < 2"}, {"profile.x": 1.0}, "profile.x >= 2 (is 1) or profile.x missing (is 1)"),
        ({"not": "profile.x missing"}, {}, "profile.x present (is missing)"),
    ],
)
def test_a_hint_names_what_is_wanting_and_what_is(written: object, facts: dict[str, Value], hint: str) -> None:
    assert unlock(parse(written), facts.get) == hint


literals = st.one_of(
    st.floats(-1e9, 1e9).map(lambda one: one + 0.0),
    st.integers(-(10**7), 10**7).map(float),
    st.sampled_from(WORDS),
    st.booleans(),
)
numbers = st.one_of(st.floats(-1e9, 1e9).map(lambda one: one + 0.0), st.sampled_from([0.0, 1.0, 2.0, 2.5]))
comparisons = st.one_of(
    st.builds(conditions.Test, st.sampled_from(FIELDS), st.sampled_from(["=", "!="]), literals),
    st.builds(conditions.Test, st.sampled_from(FIELDS), st.sampled_from(["<", "<=", ">", ">="]), numbers),
    st.builds(conditions.Test, st.sampled_from(FIELDS), st.just("in"), st.lists(literals, min_size=1, max_size=3).map(tuple)),
    st.builds(conditions.Test, st.sampled_from(FIELDS), st.sampled_from(["missing", "present"])),
)
trees = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: conditions.All(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: conditions.Any(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=6,
)
worlds = st.dictionaries(
    st.sampled_from(FIELDS),
    st.one_of(literals, st.sampled_from([0.0, 1.0, 2.0, 2.5, 3.0, "gold", "silver"])),
    max_size=len(FIELDS),
)


@given(comparisons)
def test_a_comparison_is_written_as_it_is_read(test: conditions.Test) -> None:
    assert parse(str(test)) == test


@given(trees, worlds)
def test_there_is_a_hint_exactly_where_a_condition_fails(condition: Condition, facts: dict[str, Value]) -> None:
    assert (unlock(condition, facts.get) == "") is holds(condition, facts.get)


@given(trees, worlds)
def test_a_negation_holds_exactly_where_its_condition_does_not(condition: Condition, facts: dict[str, Value]) -> None:
    assert holds(Not(condition), facts.get) is not holds(condition, facts.get)


@given(comparisons, worlds, st.booleans())
def test_making_a_hinted_fact_true_makes_the_condition_hold(
    test: conditions.Test, facts: dict[str, Value], negated: bool
) -> None:
    """The hint is read as the condition it is written in, a world is made in which it is true, and the condition holds."""
    condition: Condition = Not(test) if negated else test
    hint = unlock(condition, facts.get)
    if not hint:
        return
    wanted = parse(hint.split(" (is ", 1)[0])
    assert isinstance(wanted, conditions.Test)
    assert not holds(wanted, facts.get)
    changed = facts | {wanted.field: _value_for(wanted)}
    assert holds(wanted, changed.get)
    assert holds(condition, changed.get)


@given(trees, worlds)
def test_only_the_fields_it_names_matter_to_a_condition(condition: Condition, facts: dict[str, Value]) -> None:
    read = fields_of(condition)
    assert holds(condition, facts.get) is holds(condition, {name: facts[name] for name in facts if name in read}.get)


def _value_for(test: conditions.Test) -> Value:
    """A value that satisfies a comparison."""
    literal: Any = test.literal
    match test.op:
        case "=" | ">=" | "<=":
            return literal  # type: ignore[no-any-return]
        case "in":
            return literal[0]  # type: ignore[no-any-return]
        case ">":
            return math.nextafter(literal, math.inf)
        case "<":
            return math.nextafter(literal, -math.inf)
        case "missing":
            return None
        case "present":
            return 1.0
        case _:
            return "another" if literal != "another" else "yet another"
