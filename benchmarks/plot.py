"""The growth of the online store as a plot, from the entries that benchmarks.growth made."""

import re
from collections.abc import Sequence

from benchmarks.entry import Entry
from measure.charts import Plot, growth_curves

_GROWN = re.compile(r"growth: (?P<what>read one|room of one) of (?P<count>[\d,]+) customers in (?P<store>\w+),")
_FIRST = re.compile(r"ours with (?P<count>[\d,]+) customers")


def growth_plot(entries: Sequence[Entry]) -> Plot | None:
    """Time of a read and bytes of a customer by how many there are, a line a store; None where nothing was measured."""
    points: dict[str, dict[str, dict[int, float]]] = {"read one": {}, "room of one": {}}
    for entry in entries:
        grown, first = _GROWN.match(entry.name), _FIRST.match(entry.other)
        if grown and first:
            line = points[grown["what"]].setdefault(grown["store"], {})
            line[_count(first["count"])] = entry.beside
            line[_count(grown["count"])] = entry.kairos
    if not points["read one"]:
        return None
    return growth_curves(
        {"a read takes (us)": points["read one"], "a customer takes (bytes)": points["room of one"]},
        title="The online store as it grows",
        subtitle="60 numbers a customer in 3 views: the time of a read, and the room each customer takes",
    )


def _count(text: str) -> int:
    return int(text.replace(",", ""))
