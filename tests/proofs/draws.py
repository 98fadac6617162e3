"""What is drawn is what was logged: chi-squared over many problems, each drawn from with many decision ids."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random

from scipy.stats import chi2

from decisioning.domain import Placement
from tests.decisioning.oracle.world import World
from tests.proofs.checking import WHOLE
from tests.proofs.deciding import Decided, decided
from tests.proofs.finding import Finding, found
from tests.proofs.random_brands import brand
from tests.proofs.random_customers import customers

DRAWS = 1_000
"""From each problem."""
RARE = 5.0
"""Choices that are expected less often than this count together."""
LEAST_P = 0.01


def draws_match(size: int, seed: int) -> Finding:
    """So many draws in all: they match the logged integers, these do not depend on the draw, and 0 is never drawn."""
    draws = min(DRAWS, max(100, size // 20))
    faults: list[str] = []
    statistic, freedom, problems, never = 0.0, 0, 0, 0
    for at, (world, decision) in enumerate(_problems(size // draws, seed)):
        units = _units(decision)
        never += sum(count == 0 for count in units.values()) + len(decision.rejected)
        if sum(units.values()) != WHOLE:
            faults.append(f"problem {at}: the units sum to {sum(units.values())}")
        drawn = Counter[str]()
        for number in range(draws):
            again = decided(replace(world, request=replace(world.request, decision_id=f"draw {number}")))
            drawn[again.results[0].action or ""] += 1
            if _units(again) != units:
                faults.append(f"problem {at}: the units depend on the decision id")
        faults += [f"problem {at}: {name!r} was drawn with probability 0" for name in drawn if not units.get(name)]
        more, free = _chi_squared(drawn, units, draws)
        statistic, freedom, problems = statistic + more, freedom + free, problems + 1
    p = float(chi2.sf(statistic, freedom)) if freedom else 0.0
    counted = {"draws": problems * draws, "problems": problems, "chi-squared": statistic, "freedom": freedom, "p": p}
    counted["choices that must never be drawn"] = never
    return found("draws match", size=size, seed=seed, counted=counted, faults=faults, holds=p > LEAST_P)


def _problems(count: int, seed: int) -> Iterator[tuple[World, Decided]]:
    """Worlds with a real choice: the first place alone."""
    rng = Random(seed)
    while count:
        for world in customers(rng, brand(rng, actions=12), 5):
            one = replace(world, request=replace(world.request, placements=(Placement(),)))
            decision = decided(one)
            if count and sum(units > 0 for units in _units(decision).values()) > 1:
                count -= 1
                yield one, decision


def _units(decision: Decided) -> dict[str, int]:
    return {"": decision.nothing_units, **{one.action: one.units for one in decision.candidates}}


def _chi_squared(drawn: Mapping[str, int], units: Mapping[str, int], draws: int) -> tuple[float, int]:
    """Pearson's statistic and its degrees of freedom."""
    cells: list[tuple[float, float]] = []
    rare = [0.0, 0.0]
    for name, count in units.items():
        expected = count / WHOLE * draws
        if expected >= RARE:
            cells.append((float(drawn.get(name, 0)), expected))
        else:
            rare = [rare[0] + drawn.get(name, 0), rare[1] + expected]
    if rare[1] >= RARE:
        cells.append((rare[0], rare[1]))
    elif rare[1] > 0 and cells:
        # too rare for a cell of their own: they count with the least likely of the others
        least = min(range(len(cells)), key=lambda at: cells[at][1])
        cells[least] = (cells[least][0] + rare[0], cells[least][1] + rare[1])
    return sum((seen - expected) ** 2 / expected for seen, expected in cells), max(len(cells) - 1, 0)
