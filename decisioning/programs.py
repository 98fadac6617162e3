"""Conditions compiled: all that a touchpoint asks are answered at once, over two small arrays of facts.

A fact is a number (`numbers`, NaN where it is none) and a word (`words`): 0 where it is missing, 1 for a number, 2 for a text
that no condition names, and from 3 on the texts they do name. A condition is a program in postfix order: a token from 0 on
is one comparison, the others join what is on the stack.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numba import njit
from numpy.typing import NDArray

from decisioning.conditions import All, Any, Condition, Lookup, Not, Test, Value, holds
from decisioning.customer import FeatureIndex, Profile

_MISSING, _NUMBER, _OTHER_TEXT, _FIRST_TEXT = 0, 1, 2, 3
_AND, _OR, _NOT, _TRUE, _FALSE = -1, -2, -3, -4, -5
_EQ, _NE, _LT, _LE, _GT, _GE, _IS, _IS_NOT, _IS_MISSING, _IS_PRESENT = range(10)
_NUMERIC = {"=": _EQ, "!=": _NE, "<": _LT, "<=": _LE, ">": _GT, ">=": _GE}

Numbers = NDArray[np.float64]
Words = NDArray[np.int32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Programs:
    """`count` programs over facts: first those of plain profile features, then of coded ones, then all others by name."""

    count: int
    slots: Mapping[str, int]
    _codes: Mapping[str, int]
    _plain: NDArray[np.intp]
    _coded: tuple[tuple[int, int, NDArray[np.int32]], ...]
    _named: tuple[tuple[int, str], ...]
    _tokens: NDArray[np.int32]
    _starts: NDArray[np.int32]
    _slot: NDArray[np.int32]
    _op: NDArray[np.int8]
    _number: Numbers
    _word: Words
    _depth: int

    def read(self, facts: Mapping[str, Value], profile: Profile) -> tuple[Numbers, Words]:
        """The facts of one customer as arrays."""
        numbers, words = np.full(len(self.slots), np.nan), np.zeros(len(self.slots), dtype=np.int32)
        plain = len(self._plain)
        if plain:
            numbers[:plain] = profile.values[self._plain]
            words[:plain] = profile.present[self._plain]
        for slot, at, codes in self._coded:
            if profile.present[at]:
                words[slot] = codes[int(profile.values[at])]
        for slot, name in self._named:
            self.put(slot, facts.get(name), numbers, words)
        return numbers, words

    def put(self, slot: int, value: Value, numbers: Numbers, words: Words) -> None:
        """Write one fact."""
        if isinstance(value, str):
            words[slot] = self._codes.get(value, _OTHER_TEXT)
        elif value is not None:
            numbers[slot], words[slot] = value, _NUMBER

    def run(self, first: int, last: int, numbers: Numbers, words: Words, out: Flags) -> None:
        """Answer the programs from `first` to before `last` into their places of `out`."""
        _run(
            first, last, self._tokens, self._starts, self._slot, self._op, self._number, self._word, self._depth,
            numbers, words, out,
        )  # fmt: skip


@dataclass(slots=True)
class Writer:
    """Collects conditions; each is written once, however often it is asked."""

    index: FeatureIndex
    _ids: dict[Condition | bool, int] = field(default_factory=dict)
    _atoms: dict[tuple[str, int, float, str | None], int] = field(default_factory=dict)
    _programs: list[list[int]] = field(default_factory=list)
    _fields: dict[str, None] = field(default_factory=dict)

    def add(self, condition: Condition | bool) -> int:
        """The number of the condition's program."""
        if condition not in self._ids:
            self._ids[condition] = self.add_new(condition)
        return self._ids[condition]

    def add_new(self, condition: Condition | bool) -> int:
        """The number of a program of its own for the condition."""
        self._programs.append(list(self._tokens(condition)))
        return len(self._programs) - 1

    def reads(self, name: str) -> None:
        """Make room for a fact that no condition reads but somebody else does."""
        self._fields.setdefault(name)

    def done(self) -> Programs:
        plain, coded, named = list[str](), list[str](), list[str]()
        for name in self._fields:
            feature = name.partition(".")[2] if name.startswith("profile.") else ""
            if feature not in self.index.positions:
                named.append(name)
            else:
                (coded if self.index[feature].labels else plain).append(name)
        slots = {name: at for at, name in enumerate((*plain, *coded, *named))}
        texts = sorted({text for _, _, _, text in self._atoms if text is not None})
        codes = {text: _FIRST_TEXT + at for at, text in enumerate(texts)}
        tokens = [token for program in self._programs for token in program]
        return Programs(
            count=len(self._programs),
            slots=slots,
            _codes=codes,
            _plain=np.array([self._position(name) for name in plain], dtype=np.intp),
            _coded=tuple((slots[name], self._position(name), self._labels(name, codes)) for name in coded),
            _named=tuple((slots[name], name) for name in named),
            _tokens=np.array(tokens, dtype=np.int32),
            _starts=np.cumsum([0, *map(len, self._programs)], dtype=np.int32),
            _slot=np.array([slots[name] for name, _, _, _ in self._atoms], dtype=np.int32),
            _op=np.array([op for _, op, _, _ in self._atoms], dtype=np.int8),
            _number=np.array([number for _, _, number, _ in self._atoms], dtype=np.float64),
            _word=np.array([_MISSING if text is None else codes[text] for _, _, _, text in self._atoms], dtype=np.int32),
            _depth=max(map(len, self._programs), default=1),
        )

    def _tokens(self, condition: Condition | bool) -> Iterable[int]:
        match condition:
            case bool():
                yield _TRUE if condition else _FALSE
            case Test():
                yield from self._test(condition)
            case Not(part):
                yield from self._tokens(part)
                yield _NOT
            case All(parts) | Any(parts):
                for at, part in enumerate(parts):
                    yield from self._tokens(part)
                    if at:
                        yield _AND if isinstance(condition, All) else _OR

    def _test(self, test: Test) -> Iterable[int]:
        match test:
            case Test(field, "in", tuple() as literals):
                for at, literal in enumerate(literals):
                    yield from self._test(Test(field, "=", literal))
                    if at:
                        yield _OR
            case Test(field, "missing" | "present" as op, _):
                yield self._atom(field, _IS_MISSING if op == "missing" else _IS_PRESENT)
            case Test(field, op, str() as text):
                yield self._atom(field, _IS if op == "=" else _IS_NOT, text=text)
            case Test(field, op, literal):
                assert isinstance(literal, int | float)  # the parser makes nothing else
                yield self._atom(field, _NUMERIC[op], number=float(literal))

    def _atom(self, name: str, op: int, *, number: float = 0.0, text: str | None = None) -> int:
        self._fields.setdefault(name)
        return self._atoms.setdefault((name, op, number, text), len(self._atoms))

    def _position(self, name: str) -> int:
        return self.index.positions[name.partition(".")[2]]

    def _labels(self, name: str, codes: Mapping[str, int]) -> NDArray[np.int32]:
        labels = self.index.features[self._position(name)].labels
        return np.array([codes.get(label, _OTHER_TEXT) for label in labels], dtype=np.int32)


def known_before(condition: Condition, read: Lookup, space: str) -> Condition | bool:
    """The condition once the fields of a space (such as `action`) are known: what is left of it to ask, True or False."""
    match condition:
        case Test(field):
            return holds(condition, read) if field.startswith(f"{space}.") else condition
        case Not(part):
            left = known_before(part, read, space)
            return (not left) if isinstance(left, bool) else Not(left)
        case All(parts) | Any(parts):
            decides = isinstance(condition, Any)  # one True decides an Any, one False an All
            left_over: list[Condition] = []
            for part in parts:
                left = known_before(part, read, space)
                if left is decides:
                    return decides
                if not isinstance(left, bool):
                    left_over.append(left)
            if not left_over:
                return not decides
            return left_over[0] if len(left_over) == 1 else type(condition)(tuple(left_over))


@njit(cache=True, nogil=True)
def _run(
    first: int,
    last: int,
    tokens: NDArray[np.int32],
    starts: NDArray[np.int32],
    slot: NDArray[np.int32],
    op: NDArray[np.int8],
    number: Numbers,
    word: Words,
    depth: int,
    numbers: Numbers,
    words: Words,
    out: Flags,
) -> None:
    stack = np.empty(depth + 1, dtype=np.bool_)
    for program in range(first, last):
        top = -1
        for at in range(starts[program], starts[program + 1]):
            token = tokens[at]
            if token >= 0:
                top += 1
                stack[top] = _compare(op[token], numbers[slot[token]], words[slot[token]], number[token], word[token])
            elif token == _NOT:
                stack[top] = not stack[top]
            elif token == _AND:
                top -= 1
                stack[top] = stack[top] and stack[top + 1]
            elif token == _OR:
                top -= 1
                stack[top] = stack[top] or stack[top + 1]
            else:
                top += 1
                stack[top] = token == _TRUE
        out[program] = stack[0]


@njit(cache=True, nogil=True)
def _compare(op: int, value: float, is_word: int, number: float, word: int) -> bool:
    """NaN, a missing value or a text, satisfies no comparison of numbers but `!=`."""
    if op == _EQ:
        return value == number
    if op == _NE:
        return value != number
    if op == _LT:
        return value < number
    if op == _LE:
        return value <= number
    if op == _GT:
        return value > number
    if op == _GE:
        return value >= number
    if op == _IS:
        return is_word == word
    if op == _IS_NOT:
        return is_word != word
    if op == _IS_MISSING:
        return is_word == _MISSING
    return is_word != _MISSING
