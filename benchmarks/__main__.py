"""Run the benchmarks, print what they found, and keep it.

    python -m benchmarks [--only features | --only frame ...] [--size full] [--out benchmarks]

results.json is the list of entries, results.md the same as a table with the machine, growth.png the plot. A run of only some
subjects replaces their numbers and leaves the others.
"""

import argparse
import importlib
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.entry import Entry
from benchmarks.plot import growth_plot

SUBJECTS = {
    "features": ("online", "growth", "frame", "aggregates", "log_append", "group_commit", "visible"),
    "decisioning": ("decide_vw",),
}
"""By group, modules of this folder; each says `measured(size) -> list[Entry]`."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    everything = [*SUBJECTS, *(name for names in SUBJECTS.values() for name in names)]
    options.add_argument("--only", action="append", choices=everything, help="a group or a subject; all of them by default")
    options.add_argument("--size", choices=("full", "quick", "tiny"), default="full")
    options.add_argument("--out", type=Path, default=Path(__file__).parent)
    asked = options.parse_args()
    found = run(asked.only or list(SUBJECTS), asked.size, asked.out)
    Console().print(_printed(found))


def run(only: Sequence[str], size: str, out: Path) -> list[Entry]:
    """Measure subjects or groups of them and keep what was found in the folder `out`."""
    entries = []
    for subject in dict.fromkeys(name for one in only for name in SUBJECTS.get(one, (one,))):
        entries += importlib.import_module(f"benchmarks.{subject}").measured(size)
        kept = _kept(out, entries)
        (out / "results.json").write_text(json.dumps([asdict(one) for one in kept], indent=1) + "\n", encoding="utf-8")
    (out / "results.md").write_text(_page(kept), encoding="utf-8")
    if (plot := growth_plot(kept)) is not None:
        (out / "growth.png").write_bytes(plot.png())
    return entries


def machine() -> str:
    """What the numbers were seen on, and what else it had to do."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}; load at the end {load}"
    )


def _kept(out: Path, entries: Sequence[Entry]) -> list[Entry]:
    """The new entries, in the place of those of the same name, unit and other side; the rest as before."""
    file = out / "results.json"
    before = [Entry(**one) for one in json.loads(file.read_text(encoding="utf-8"))] if file.is_file() else []
    kept = {(one.name, one.unit, one.other): one for one in (*before, *entries)}
    return list(kept.values())


def _page(entries: Sequence[Entry]) -> str:
    rows = [
        f"| {one.name} | {one.unit} | {_number(one.kairos)} | {_number(one.beside)} | {one.other} | {one.ratio:.2f} |"
        for one in entries
    ]
    head = (
        "# Side by side\n\n"
        "Medians of rounds in which both sides take turns, where the other side runs here; a ratio above 1 means Kairos is\n"
        "better. CPU s are seconds of processors (of Redis's too, where it serves), s are seconds on the wall.\n\n"
        f"The machine of the last run, which may have measured some rows only: {machine()}.\n\n"
        "| what | unit | Kairos | beside | what stands beside | ratio |\n|---|---|---:|---:|---|---:|\n"
    )
    return head + "\n".join(rows) + "\n\n![What a read takes and what a customer takes, as the store grows](growth.png)\n"


def _printed(entries: Sequence[Entry]) -> Table:
    table = Table("what", "unit", "kairos", "beside", "other", "ratio")
    for one in entries:
        table.add_row(one.name, one.unit, _number(one.kairos), _number(one.beside), one.other, f"{one.ratio:.2f}")
    return table


def _number(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:,.2f}"


if __name__ == "__main__":
    main()
