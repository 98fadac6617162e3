"""YAML as typed values: every fault at once, each with its line and column, its key and its cure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import pytest

from decisioning.conditions import Condition, parse
from features import yaml_nodes
from features.yaml_nodes import WorkspaceError, decode, position


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError("a share lies between 0 and 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    name: str = field(metadata={"is_key": True})
    since: date | None = field(default=None, metadata={"key": "from"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deep:
    leaves: Mapping[str, Leaf]
    kind: Literal["one", "two"] = "one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    text: str = ""
    count: int = 0
    amount: float = 0.0
    flag: bool = False
    lasts: timedelta = timedelta(0)
    moment: datetime | None = None
    day: date | None = None
    at: time | None = None
    kind: Literal["one", "two"] = "one"
    words: tuple[str, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    either: str | tuple[str, ...] = ""
    number_or_text: float | str = ""
    leaf: Leaf = Leaf()
    leaves: Mapping[str, Leaf] = field(default_factory=dict)
    list_of_leaves: tuple[Leaf, ...] = ()
    deep: Mapping[str, Deep] = field(default_factory=dict)
    named: Mapping[str, Named] = field(default_factory=dict)
    when: Condition | None = None
    must: Condition = parse("stage = any")


def read(text: str, kind: Any = Form) -> Any:
    return decode(text, kind, file="form.yaml")


def faults(text: str, kind: Any = Form) -> list[str]:
    with pytest.raises(WorkspaceError) as error:
        read(text, kind)
    assert str(error.value) == "\n".join(error.value.faults)
    return error.value.faults


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("text: hello", "text", "hello"),
        ("text: no", "text", "no"),  # a word in YAML 1.1, not a truth value
        ("text: on", "text", "on"),
        ("text: '12'", "text", "12"),
        ("count: 12", "count", 12),
        ("amount: 12", "amount", 12.0),
        ("amount: 1.5", "amount", 1.5),
        ("flag: true", "flag", True),
        ("flag: False", "flag", False),
        ("lasts: 30d", "lasts", timedelta(days=30)),
        ("lasts: 12h", "lasts", timedelta(hours=12)),
        ("lasts: 15m", "lasts", timedelta(minutes=15)),
        ("lasts: 1.5 s", "lasts", timedelta(seconds=1.5)),
        ("moment: 2018-01-01T09:00:00", "moment", datetime(2018, 1, 1, 9)),  # noqa: DTZ001 - local to the brand
        ("moment: 2018-01-01T09:00:00Z", "moment", datetime(2018, 1, 1, 9, tzinfo=UTC)),
        ("moment: 2018-01-01", "moment", datetime(2018, 1, 1)),  # noqa: DTZ001
        ("day: 2018-01-01", "day", date(2018, 1, 1)),
        ("day:", "day", None),
        ("at: 21:00", "at", time(21)),  # a number in base 60 in YAML 1.1
        ("at: 08:30", "at", time(8, 30)),
        ("at: 21:00:30", "at", time(21, 0, 30)),
        ("at: '21:00'", "at", time(21)),
        ("kind: two", "kind", "two"),
        ("words: [a, b]", "words", ("a", "b")),
        ("words: []", "words", ()),
        ("pair: [1, 5]", "pair", (1.0, 5.0)),
        ("either: a", "either", "a"),
        ("either: [a, b]", "either", ("a", "b")),
        ("number_or_text: 3", "number_or_text", 3.0),
        ("number_or_text: B", "number_or_text", "B"),
        ("leaf: {share: 1}", "leaf", Leaf(share=1.0)),
        ("leaves: {a: {}, b: {share: 0.1}}", "leaves", {"a": Leaf(), "b": Leaf(share=0.1)}),
        ("named: {a.b: {from: 2018-01-01}}", "named", {"a.b": Named(name="a.b", since=date(2018, 1, 1))}),
        ("when: profile.x >= 2", "when", parse("profile.x >= 2")),
        ("when: {any: [stage = a, {not: stage = b}]}", "when", parse({"any": ["stage = a", {"not": "stage = b"}]})),
        ("when: ~", "when", None),
        ("must: [stage = a, stage = b]", "must", parse(["stage = a", "stage = b"])),
        ("leaf: &half {share: 0.5}\nleaves: {a: *half}", "leaves", {"a": Leaf(share=0.5)}),
    ],
)
def test_a_value_is_read_by_its_type(text: str, key: str, value: object) -> None:
    found = getattr(read(text), key)
    assert found == value
    assert type(found) is type(value)


def test_what_is_left_out_has_its_default() -> None:
    assert read("{}") == Form()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("text: 12", "expected text, found 12"),
        ("count: 1.5", "expected a whole number, found 1.5"),
        ("count: true", "expected a whole number, found True"),
        ("amount: much", "expected a number, found 'much'"),
        ("amount: .nan", "expected a number, found nan"),
        ("amount: -.inf", "expected a number, found -inf"),
        ("flag: yes", "expected true or false, found 'yes'"),
        ("flag: 1", "expected true or false, found 1"),
        ("lasts: 30", "expected a duration such as 30d or 12h, found 30"),
        ("lasts: a while", "expected a duration such as 30d or 12h, found 'a while'"),
        ("lasts: 99999999999d", "expected a duration such as 30d or 12h, found '99999999999d'"),
        ("lasts: -1d", "expected a duration such as 30d or 12h, found '-1d'"),
        ("moment: soon", "expected a time such as 2018-01-01T09:00:00, found 'soon'"),
        ("day: 2018-02-30", "expected a date such as 2018-01-01, found '2018-02-30'"),
        ("day: 2018-01-01T09:00:00", "expected a date such as 2018-01-01"),
        ("at: 25:00", "expected a time of day such as 21:00, found '25:00'"),
        ("at: 8:00", "expected a time of day such as 21:00, found '8:00'"),
        ("at: 21:00+01:00", "expected a time of day such as 21:00, found '21:00+01:00'"),
        ("at: 9", "expected a time of day such as 21:00, found 9"),
        ("kind: three", "'three' is not one of one, two"),
        ("list_of_leaves: a", "expected a list; write [one, two] or a line '- item' each"),
        ("words: {a: 1}", "expected a list; write [one, two] or a line '- item' each"),
        ("words: a", "expected a list; write [one, two] or a line '- item' each"),
        ("pair: [1]", "expected a list of 2, found 1"),
        ("leaf: half", "expected keys with values (key: value)"),
        ("leaf: {share: 2}", "a share lies between 0 and 1"),
        ("must: profile.x is 2", "cannot read the condition 'profile.x is 2'"),
        ("when: {any: []}", "an empty list of conditions"),
        ("must:", "cannot read the condition None"),
        ("text: !secret key", "expected text, found a value that YAML cannot make (could not determine a constructor"),
        ("when: {any: [2018-02-30]}", "cannot read the condition"),
    ],
)
def test_a_value_of_another_type_is_refused_with_what_is_expected(text: str, expected: str) -> None:
    (fault,) = faults(text)
    assert fault.startswith("form.yaml:1:")
    assert f": {text.split(':', 1)[0]}" in fault
    assert expected in fault
    assert "\n" not in fault


def test_all_faults_are_told_at_once_each_at_its_line_and_column() -> None:
    text = """\
text: 12
leaves:
  a: {share: 2}
  b:
    shre: 0.5
words: [fine, 3]
lasts: 1w
"""
    assert faults(text) == [
        "form.yaml:1:7: text: expected text, found 12",
        "form.yaml:3:6: leaves.a: a share lies between 0 and 1",
        "form.yaml:5:11: leaves.b.shre: unknown key; did you mean 'share'?",
        "form.yaml:6:15: words.1: expected text, found 3",
        "form.yaml:7:8: lasts: expected a duration such as 30d or 12h, found '1w'",
    ]


def test_an_unknown_key_is_met_with_the_nearest_or_with_all_that_are_known() -> None:
    assert faults("wrods: [a]") == ["form.yaml:1:8: wrods: unknown key; did you mean 'words'?"]
    assert faults("leaf: {zzz: 1}") == ["form.yaml:1:13: leaf.zzz: unknown key; the known keys are share"]


def test_a_key_written_twice_is_a_fault() -> None:
    assert faults("text: a\ncount: 1\ntext: b") == ["form.yaml:3:1: text: written twice; keep one"]
    assert faults("leaves:\n  a: {}\n  a: {}") == ["form.yaml:3:3: leaves.a: written twice; keep one"]


def test_a_missing_key_is_named_with_its_cure() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Strict:
        name: str
        age: int

    assert faults("age: 3", Strict) == ["form.yaml:1:1: the file: the key 'name' is missing; add it"]


def test_a_mapping_is_read_whole_too() -> None:
    assert read("a: {share: 0.1}\nb: {}", Mapping[str, Leaf]) == {"a": Leaf(share=0.1), "b": Leaf()}
    assert len(faults("a: {share: 3}\nb: {share: x}", Mapping[str, Leaf])) == 2


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("", "form.yaml:1:1", "the file is empty"),
        ("# only a comment", "form.yaml:1:1", "the file is empty"),
        ("text: [a\ncount: 1", "form.yaml:2:6", "not YAML"),
        ("text: a\n\tcount: 1", "form.yaml:2:1", "not YAML"),
        ("text: *nobody", "form.yaml:1:7", "undefined alias"),
        ("text: a\n---\ntext: b", "form.yaml:2:1", "not YAML"),
        ("text: a\ncount: \x07", "form.yaml:2:1", "special characters are not allowed"),
        ("- a\n- b", "form.yaml:1:1", "expected keys with values"),
    ],
)
def test_what_is_no_yaml_or_no_form_is_told_with_its_place(text: str, where: str, what: str) -> None:
    (fault,) = faults(text)
    assert fault.startswith(where)
    assert what in fault


def test_the_faults_of_a_union_are_those_of_its_first_kind() -> None:
    assert faults("either: {a: 1}") == ["form.yaml:1:9: either: expected text, found {'a': 1}"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("a",), (1, 1)),
        (("a", "b"), (2, 3)),
        (("a", "list", "1"), (5, 7)),
        (("a", "list", "1", "key"), (5, 8)),
        (("a", "list", "9"), (3, 3)),
        (("a", "b", "further", "down"), (2, 3)),
        (("nowhere",), (1, 1)),
        ((), (1, 1)),
    ],
)
def test_the_position_of_a_key_or_of_the_nearest_above_it(path: tuple[str, ...], expected: tuple[int, int]) -> None:
    assert position("a:\n  b: 1\n  list:\n    - {key: 1}\n    - {key: 2}\n", path) == expected


def test_the_position_in_an_empty_file_is_its_start() -> None:
    assert position("", ("a",)) == (1, 1)


def test_one_record_alone_stands_for_a_list_of_one() -> None:
    assert read("list_of_leaves: {share: 0.1}").list_of_leaves == (Leaf(share=0.1),)
    assert faults("list_of_leaves: {shre: 0.1}") == ["form.yaml:1:24: list_of_leaves.shre: unknown key; did you mean 'share'?"]


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("a:\n  - {key: 1}\n", ("a", "key"), (2, 6)),
        ("a:\n  - {key: 1}\n", ("a", "0", "key"), (2, 6)),
        ("a:\n  key: 1\n", ("a", "0", "key"), (2, 3)),
        ("a:\n  key: 1\n", ("a", "1", "key"), (1, 1)),
        ("a:\n  - {key: 1}\n  - {key: 2}\n", ("a", "key"), (1, 1)),
    ],
)
def test_a_place_in_a_list_of_one_may_be_named_or_left_out(text: str, path: tuple[str, ...], expected: tuple[int, int]) -> None:
    assert position(text, path) == expected


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("count: 1\ntext: 2\nflag: true", Form(count=1, flag=True)),
        ("leaves: {a: {share: 2}, b: {share: 0.1}}", Form(leaves={"b": Leaf(share=0.1)})),
        ("list_of_leaves: [{share: 2}, {share: 0.1}]\ncount: 1", Form(count=1)),
        ("leaf: {share: 2}\nwrods: [a]\nwords: [a]", Form(words=("a",))),
        (
            "deep: {a: {leaves: {b: {share: 2}, c: {share: 1}}, kind: three}}",
            Form(deep={"a": Deep(leaves={"c": Leaf(share=1.0)})}),
        ),
        ("deep: {a: {kind: three}}", Form()),
        ("named: {a: {from: soon}}", Form(named={"a": Named(name="a")})),
        ("text: a\ncount: 1\ntext: b", Form(text="b", count=1)),
        ("- a", None),
        ("", None),
        ("a: [", None),
    ],
)
def test_what_is_sound_in_a_file_with_faults_is_read(text: str, sound: Form | None) -> None:
    value, told = yaml_nodes.read(text, Form, file="form.yaml")
    assert value == sound
    assert told == faults(text)


def test_a_sound_file_is_read_without_faults() -> None:
    assert yaml_nodes.read("count: 1", Form, file="form.yaml") == (Form(count=1), [])


def test_of_a_mapping_with_faults_the_sound_entries_are_read() -> None:
    kind: Any = Mapping[str, Leaf]
    value, told = yaml_nodes.read("a: {share: 3}\nb: {share: 1}", kind, file="form.yaml")
    assert (value, len(told)) == ({"b": Leaf(share=1.0)}, 1)


def test_nothing_is_read_where_a_key_that_must_be_there_is_not_sound() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Strict:
        name: str
        age: int = 0

    assert yaml_nodes.read("name: 3\nage: 4", Strict, file="form.yaml")[0] is None
