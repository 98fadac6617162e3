"""What a benchmark says, and how it takes turns: one number of ours beside one of another's."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

Size = Literal["tiny", "quick", "full"]
"""full: what is published. quick: a minute or two, to see that it goes. tiny: seconds, for the tests."""

Side = TypeVar("Side", bound=str)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One comparison. `kairos` and `beside` in `unit`, medians of `rounds`; `other` names what stands beside.

    `ratio` above 1 means ours is better, whether small or large numbers are good.
    """

    name: str
    unit: str
    kairos: float
    beside: float
    other: str
    ratio: float
    rounds: int


def less_is_better(*, name: str, unit: str, kairos: float, beside: float, other: str, rounds: int) -> Entry:
    return Entry(name=name, unit=unit, kairos=kairos, beside=beside, other=other, ratio=beside / kairos, rounds=rounds)


def more_is_better(*, name: str, unit: str, kairos: float, beside: float, other: str, rounds: int) -> Entry:
    return Entry(name=name, unit=unit, kairos=kairos, beside=beside, other=other, ratio=kairos / beside, rounds=rounds)


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds: of this process's processors, and on the wall."""

    cpu_s: float
    wall_s: float


def timed(work: Callable[[], object]) -> Cost:
    """What doing it takes. Its result is let go outside the time."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = work()
    taken = Cost(time.process_time() - cpu, time.perf_counter() - wall)
    del made
    return taken


def in_turns(rounds: int, sides: Mapping[Side, Callable[[], T]]) -> dict[Side, list[T]]:
    """What each side gives, in each round: they take turns, so that a change of the machine's mood meets all."""
    given: dict[Side, list[T]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            given[name].append(side())
    return given


def median(numbers: Sequence[float]) -> float:
    return float(statistics.median(numbers))
