"""What the command line shows: how far a verb is, and what came of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import Any

from rich import progress
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of the whole that is done, 0 to 1."""


@contextmanager
def stages(console: Console) -> Iterator[Callable[[str], Progress]]:
    """Names a stage and gets its progress: a bar a stage on a terminal, elsewhere a line for each thing done."""
    if not console.is_terminal:
        yield lambda stage: _lines(console, stage)
        return
    columns = (SpinnerColumn(), TextColumn("{task.fields[stage]:<24}"), BarColumn(), TextColumn("{task.description}"))
    with progress.Progress(*columns, TimeElapsedColumn(), console=console) as shown:

        def bars(stage: str) -> Progress:
            task = shown.add_task("", total=1.0, stage=stage)
            return lambda doing, share: shown.update(task, description=doing, completed=share)

        yield bars


def show(report: Any, as_json: bool) -> None:
    """Print a report: a line of text for each of its `lines()`, or the whole dataclass or mapping as JSON."""
    if as_json:
        print(json.dumps(asdict(report) if is_dataclass(report) else report, indent=2, default=str))  # type: ignore[arg-type]
    else:
        for line in report.lines():
            print(line)


def _lines(console: Console, stage: str) -> Progress:
    told: set[str] = set()

    def line(doing: str, share: float) -> None:
        if doing not in told:
            told.add(doing)
            console.print(f"{stage}: {doing}", highlight=False, markup=False, soft_wrap=True)

    return line
