"""A whole decision beside Vowpal Wabbit's predict, in one process on one thread, taking turns, nothing subtracted.

Ours decides among 100 actions with 30 rules, all five tiers, caps over a history of 20 contacts, what was learned of each
action, exact probabilities, the time and the words of the message; predictions are given, the trace is not built. Once at a
touchpoint where the customer is, once at an outbound one that must also find its hour among 48. Vowpal Wabbit's
`cb_explore_adf` gives the probabilities of 100 actions with 60 features each, after learning from as many; it has no rules,
caps, times or words.

Each side goes round the same number of customers, so that no side is asked the same thing twice in a row. Vowpal Wabbit is
asked in two ways. With text, which is what a Python service calls for each request, as the features are those of the customer
of the moment; the making of the text is not counted. And with examples that it parsed before, which no service has for a
customer who comes in now: what its own arithmetic takes.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from random import Random

from vowpalwabbit import Workspace

from benchmarks.decide_world import ACTIONS, PLACES, RULES, customers
from benchmarks.entry import Entry, Size, in_turns, less_is_better, median
from tests.decisioning.oracle.world import World
from tests.proofs.deciding import made

FEATURES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """`calls` of each side in each round, among so many `customers`."""

    calls: int
    customers: int
    rounds: int


_SIZES: Mapping[Size, _Sizes] = {
    "full": _Sizes(calls=500, customers=100, rounds=15),
    "quick": _Sizes(calls=100, customers=20, rounds=5),
    "tiny": _Sizes(calls=3, customers=3, rounds=1),
}


def measured(size: Size) -> list[Entry]:
    sizes = _SIZES[size]
    with _vowpal_wabbit(sizes.customers) as beside:
        sides = {**_ours(sizes.customers), **beside}
        for ask in sides.values():
            ask()  # what is made once, compiled code and arrays of a catalog, is made
        taken = in_turns(sizes.rounds, {name: lambda ask=ask: _median_us(ask, sizes.calls) for name, ask in sides.items()})
    return [
        less_is_better(
            name=f"a decision, {where}: {ACTIONS} actions, {RULES} rules, all tiers, exact probabilities and timing",
            unit="CPU us",
            kairos=median(taken[where]),
            beside=median(taken[how]),
            other=f"Vowpal Wabbit's cb_explore_adf, {ACTIONS} actions x {FEATURES} features, {how}",
            rounds=sizes.rounds,
        )
        for where in PLACES
        for how in beside
    ]


def _median_us(ask: Callable[[], object], calls: int) -> float:
    """The median processor time of a call, in microseconds."""
    taken = []
    for _ in range(calls):
        start = time.process_time_ns()
        ask()
        taken.append((time.process_time_ns() - start) / 1e3)
    return median(taken)


def _ours(count: int) -> dict[str, Callable[[], object]]:
    def asker(worlds: Sequence[World]) -> Callable[[], object]:
        asked = cycle(worlds)

        def ask() -> object:
            result = made(next(asked)).results[0]
            return result.action, result.units, result.message

        return ask

    return {where: asker(worlds) for where, worlds in customers(count).items()}


@contextmanager
def _vowpal_wabbit(customers: int) -> Iterator[dict[str, Callable[[], object]]]:
    rng = Random(2)
    texts = [_text(rng) for _ in range(customers)]
    vw = Workspace("--cb_explore_adf --epsilon 0.05 --quiet")
    for text in texts:
        vw.learn(_labelled(text, rng))
    parsed = [vw.parse(text) for text in texts]
    from_text, from_parsed = cycle(texts), cycle(parsed)

    def ask_text() -> object:
        return vw.predict(next(from_text))

    def ask_parsed() -> object:
        return vw.predict(next(from_parsed))

    yield {"from text": ask_text, "from examples parsed before": ask_parsed}
    for examples in parsed:
        vw.finish_example(examples)
    vw.finish()


def _text(rng: Random) -> list[str]:
    """One request in Vowpal Wabbit's own form: a line an action."""
    return ["|f " + " ".join(f"n{feature}:{rng.random():.4f}" for feature in range(FEATURES)) for _ in range(ACTIONS)]


def _labelled(text: Sequence[str], rng: Random) -> list[str]:
    """The request with what became of one of its actions, shown with probability 1 in 100."""
    shown, cost = rng.randrange(ACTIONS), -float(rng.random() < 0.2)
    return [f"0:{cost}:0.01 {line}" if at == shown else line for at, line in enumerate(text)]
