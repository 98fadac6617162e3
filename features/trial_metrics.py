"""What customers of a trial did in their time, and in the 90 days before their first decision ever."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from decisioning.emotion import Signal
from features.log import Log, Record
from features.log.records import microseconds

BEFORE = timedelta(days=90)
ACTIVE = timedelta(days=60)
"""Who had no event for so long before they came in cannot churn."""

_MICROSECOND = timedelta(microseconds=1)
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is measured: the conversion `event`, its property `value` times `margin`, what else `signals` say of events, in the
    `horizon` since a customer's first decision."""

    event: str
    value: str
    margin: float
    horizon: timedelta
    signals: Mapping[str, Signal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """`values` (n,), NaN for whom it is not asked. `rises`: more is better. `answered`: only who answered has it.

    `possible` (n,) tells who could have anything but 0, None: everybody.
    """

    name: str
    values: _Floats
    rises: bool = True
    answered: bool = False
    possible: NDArray[np.bool_] | None = None


def read_metrics(
    log: Log,
    asked: Asked,
    *,
    rows: Mapping[str, int],
    names: Mapping[str, str],
    entered_us: NDArray[np.int64],
    first_us: NDArray[np.int64],
    offered: NDArray[np.bool_],
    took: Sequence[tuple[str, int]],
    progress: Callable[[str, float], None],
) -> tuple[list[Metric], _Floats]:
    """The metrics of n customers, and (n, 2) how many events they had before and of what value.

    `rows` gives each customer's row by name, `names` the name of each id that is not its own; `entered_us` and `first_us` are
    their first decisions, of the trial and ever; `took` the successes (name, microseconds), `offered` who was offered anything.
    """
    end_us = entered_us + asked.horizon // _MICROSECOND
    tally = _Tally(asked=asked, rows=rows, names=names, entered_us=entered_us, end_us=end_us, first_us=first_us)
    last = max(1, log.last_sequence())
    for record in log.read(kinds=("event",)):
        tally.take(record)
        progress("reading events", record.sequence / last)
    successes = np.zeros(len(rows))
    for name, at in took:
        row = rows.get(name)
        if row is not None and entered_us[row] <= at < end_us[row]:
            successes[row] += 1
    return [Metric(name="success outcomes", values=successes, possible=offered), *tally.metrics()], tally.before()


@dataclass(slots=True, kw_only=True)
class _Tally:
    """Counts events, one after another."""

    asked: Asked
    rows: Mapping[str, int]
    names: Mapping[str, str]
    entered_us: NDArray[np.int64]
    end_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    sums: dict[str, _Floats] = field(default_factory=dict)
    decoder: msgspec.json.Decoder["_Event"] = field(default_factory=lambda: msgspec.json.Decoder(_Event))

    def take(self, record: Record) -> None:
        if record.customer_id is None:
            return
        row = self.rows.get(self.names.get(record.customer_id, record.customer_id))
        if row is None:
            return
        try:
            said = self.decoder.decode(record.payload)
        except msgspec.MsgspecError:  # ingest refuses what is malformed; what an older one let in says nothing
            return
        signal = self.asked.signals.get(said.event or "")
        if said.event != self.asked.event and signal is None:
            return
        # what is said to have happened after it was known, happened when it was known
        at = min(microseconds(record.event_time), microseconds(record.known_time))
        if said.event == self.asked.event:
            self._converted(row, at, self.asked.margin * (said.number(self.asked.value) or 0.0))
        if signal is not None and self.entered_us[row] <= at < self.end_us[row]:
            if signal.complaint == "opened":
                self._add("complaints", row, 1.0)
            if signal.rating is not None and (rated := said.number(signal.rating)) is not None:
                self._add(f"rated {said.event}", row, rated)
                self._add(f"times {said.event}", row, 1.0)

    def _converted(self, row: int, at: int, value: float) -> None:
        if self.entered_us[row] <= at < self.end_us[row]:
            self._add("events", row, 1.0)
            self._add("value", row, value)
        if self.entered_us[row] - ACTIVE // _MICROSECOND <= at < self.entered_us[row]:
            self._add("active", row, 1.0)
        if self.first_us[row] - BEFORE // _MICROSECOND <= at < self.first_us[row]:
            self._add("events before", row, 1.0)
            self._add("value before", row, value)

    def _add(self, name: str, row: int, number: float) -> None:
        self.sums.setdefault(name, np.zeros(len(self.rows)))[row] += number

    def metrics(self) -> list[Metric]:
        events, active = self._sum("events"), self._sum("active") > 0
        told = [
            Metric(name=f"{self.asked.event} events", values=events),
            Metric(name=f"{self.asked.event} value", values=self._sum("value")),
            Metric(name="churn", values=np.where(active, (events == 0).astype(np.float64), np.nan), rises=False),
        ]
        if any(signal.complaint == "opened" for signal in self.asked.signals.values()):
            told.append(Metric(name="complaints", values=self._sum("complaints"), rises=False))
        for event, signal in self.asked.signals.items():
            if signal.rating is not None:
                times = self._sum(f"times {event}")
                mean = np.full(len(times), np.nan)
                np.divide(self._sum(f"rated {event}"), times, out=mean, where=times > 0)
                told.append(Metric(name=event, values=mean, rises=signal.scale[0] < signal.scale[1], answered=True))
        return told

    def before(self) -> _Floats:
        return np.column_stack([self._sum("events before"), self._sum("value before")])

    def _sum(self, name: str) -> _Floats:
        return self.sums.get(name, np.zeros(len(self.rows)))


class _Event(msgspec.Struct):
    event: str | None = None
    properties: msgspec.Raw = msgspec.Raw(b"{}")

    def number(self, name: str) -> float | None:
        """A property that is a finite number; None for anything else."""
        found = msgspec.json.decode(self.properties)
        value = found.get(name) if isinstance(found, dict) else None
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
