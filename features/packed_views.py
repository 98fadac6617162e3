"""How the packed rows of one customer become a profile: the one reader of every store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from decisioning.customer import Profile
from features.decay import DAY_US
from features.log.records import microseconds
from features.packed_rows import Form
from features.schema import ProfileSpec
from features.tables import Table


class Views:
    """The views of a profile, as they are stored. `forms` are their rows' bytes, by name in the order of the file."""

    def __init__(self, spec: ProfileSpec) -> None:
        self.forms: Mapping[str, Form] = {table.name: Form(table) for table in spec.tables}
        self._index = spec.index
        self._views = {table.name: _View.of(table, self.forms[table.name], spec) for table in spec.tables}
        self._ageing = spec.ageing

    def fresh(self, checksums: Mapping[str, int]) -> tuple[str, ...]:
        """The views whose stored schema, by its checksum, is that of the profile."""
        return tuple(name for name, form in self.forms.items() if checksums.get(name) == form.checksum)

    def stale(self, checksums: Mapping[str, int]) -> tuple[str, ...]:
        """The other ones."""
        return tuple(name for name, form in self.forms.items() if checksums.get(name) != form.checksum)

    def profile(self, names: Sequence[str], blobs: Sequence[bytes | None], now: datetime) -> Profile:
        """The rows of one customer, one or none a view named, aged to `now`. Rows of another schema are none."""
        values = np.full(len(self._index), np.nan)
        days = np.zeros(len(self._index))
        now_us = microseconds(now)
        for name, blob in zip(names, blobs, strict=False):
            view = self._views[name]
            if blob is None or not view.form.fits(blob):
                continue
            age_us = now_us - view.form.times_us(blob)[0]
            if view.bought and age_us < 0:
                continue
            values[view.where] = view.form.values(blob)
            days[view.where] = age_us / DAY_US
        aged = self._ageing.aged(values, days, now_us)
        return Profile(index=self._index, values=aged, present=~np.isnan(aged))


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """How one view is read. `where` its stored columns stand in the index; `bought` marks third-party data."""

    form: Form
    where: NDArray[np.intp] | slice
    bought: bool

    @classmethod
    def of(cls, table: Table, form: Form, spec: ProfileSpec) -> "_View":
        positions = np.array([spec.index.positions[name] for name in table.names], dtype=np.intp)
        first = int(positions[0]) if len(positions) else 0
        side_by_side = np.array_equal(positions, np.arange(first, first + len(positions)))
        where = slice(first, first + len(positions)) if side_by_side else positions
        return cls(form=form, where=where, bought=table.source == "third_party")
