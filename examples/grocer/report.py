"""What an import did, in lines that a person can check."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """`count` things, what they are, and why they were treated so."""

    count: int
    what: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.count:,} {self.what}" + (f": {self.why}" if self.why else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """`new` records went into the log, `already_there` were in it from before: nothing is added twice.

    `kept`, `changed` and `left_out` count things of the source, whether or not they were new to the log; `assumed` says
    what the source does not tell and the import had to state.
    """

    kept: tuple[Entry, ...]
    changed: tuple[Entry, ...]
    left_out: tuple[Entry, ...]
    assumed: tuple[str, ...]
    new: int
    already_there: int

    def lines(self) -> list[str]:
        return [
            *_section("kept", self.kept),
            *_section("changed", self.changed),
            *_section("left out", self.left_out),
            *_section("assumed", self.assumed),
            f"the log gained {self.new:,} records; {self.already_there:,} were there already",
        ]


def _section(name: str, entries: Iterable[Entry | str]) -> list[str]:
    return [f"{name:<9} {entry}" for entry in entries if not (isinstance(entry, Entry) and entry.count == 0)]
