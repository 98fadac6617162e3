"""What a proof found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`holds` is the verdict; `counted` says of how much, and `faults` the first few of what broke it."""

    proof: str
    size: int
    seed: int
    holds: bool
    counted: Mapping[str, float | str | Mapping[str, int]]
    faults: tuple[str, ...] = ()


def found(
    proof: str,
    *,
    size: int,
    seed: int,
    counted: Mapping[str, float | str | Mapping[str, int]],
    faults: Iterable[str] = (),
    holds: bool = True,
) -> Finding:
    """A proof holds where nothing broke it and its numbers, too, are as they should be."""
    first = tuple(islice(faults, 5))
    return Finding(proof=proof, size=size, seed=seed, holds=holds and not first, counted=counted, faults=first)
