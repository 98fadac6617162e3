"""How a stored profile moves through time, and what is derived from it. The one definition, offline and online."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from decisioning.customer import FeatureIndex
from features.decay import Floats, Ints
from features.tables import Band, Derived, Ratio

_FADED = 1e-9
"""A ratio over no more than this is over nothing: what was there has been forgotten."""

_NEVER = np.iinfo(np.int64).max

Positions = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """What time does to each position of a profile.

    It halves `rates` times a day and grows by `growth` a day; it is missing once older than `ttl_days`, and from the moment
    `expires_us` on; `ends` tells whether any of them ever is. Ratios (the positions of all: which, of, over) and then bands
    are made of what is left. `defaults` are (position, value, the stored positions of its view): the value stands for a
    missing one where the view knows anything.
    """

    rates: Floats
    growth: Floats
    ttl_days: Floats
    expires_us: Ints
    ends: bool
    ratios: tuple[Positions, Positions, Positions]
    bands: tuple[tuple[int, int, NDArray[np.float32]], ...]
    defaults: tuple[tuple[int, np.float32, Positions], ...]

    @classmethod
    def of(
        cls,
        index: FeatureIndex,
        derived: Sequence[Derived],
        *,
        ttl_days: Mapping[str, float] | None = None,
        expires_us: Mapping[str, int] | None = None,
        defaults: Mapping[str, tuple[float, Sequence[str]]] | None = None,
    ) -> "Ageing":
        """`ttl_days`, `expires_us` and `defaults` (the value and the stored features of the view) are by feature name."""
        ttl, expires = ttl_days or {}, expires_us or {}
        features, at = index.features, index.positions
        ratios = [one for one in derived if isinstance(one, Ratio)]
        return cls(
            rates=np.array([1.0 / one.half_life_days if one.ages == "decays" else 0.0 for one in features]),
            growth=np.array([1.0 if one.ages == "grows" else 0.0 for one in features]),
            ttl_days=np.array([ttl.get(one.name, np.inf) for one in features]),
            expires_us=np.array([expires.get(one.name, _NEVER) for one in features], dtype=np.int64),
            ends=bool(ttl or expires),
            ratios=(
                np.array([at[one.name] for one in ratios], dtype=np.intp),
                np.array([at[one.of] for one in ratios], dtype=np.intp),
                np.array([at[one.over] for one in ratios], dtype=np.intp),
            ),
            bands=tuple(
                (at[one.name], at[one.of], np.array(one.cuts, dtype=np.float32)) for one in derived if isinstance(one, Band)
            ),
            defaults=tuple(
                (at[name], np.float32(value), np.array([at[one] for one in stored], dtype=np.intp))
                for name, (value, stored) in (defaults or {}).items()
            ),
        )

    def aged(self, values: Floats, days: Floats, at_us: int | Ints) -> NDArray[np.float32]:
        """Values moved `days` ahead to `at_us` and rounded to float32; ratios are made before the rounding, bands after it.

        `values` is (..., F) with NaN for missing; what stands at a derived position does not matter. `days` broadcasts to
        it, `at_us` (microseconds since 1970) is one moment or (...,). A negative age counts as 0: a row is never rewound, a
        reader whose clock is behind sees it as of its moment.
        """
        ahead = np.maximum(days, 0.0)
        exact = values * np.exp2(-ahead * self.rates) + ahead * self.growth
        if self.ends:
            exact = np.where((ahead > self.ttl_days) | (np.asarray(at_us)[..., None] >= self.expires_us), np.nan, exact)
        made, of_all, over_all = self.ratios
        if len(made):
            whole = exact[..., over_all]
            exact[..., made] = exact[..., of_all] / np.where(whole > _FADED, whole, np.nan)
        moved = exact.astype(np.float32)
        for at, of, cuts in self.bands:
            number = moved[..., of]
            moved[..., at] = np.where(np.isnan(number), np.float32(np.nan), np.searchsorted(cuts, number, side="right"))
        for at, value, stored in self.defaults:
            heard_of = ~np.isnan(values[..., stored]).all(axis=-1)
            moved[..., at] = np.where(np.isnan(moved[..., at]) & heard_of, value, moved[..., at])
        return moved
