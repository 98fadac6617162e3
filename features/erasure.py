"""Erasing a customer wherever the workspace keeps them: the log first, then every table that was made from it.

What was interrupted is finished by erasing again: each step removes what is left, and finds nothing the second time. A build
or a load that goes on meanwhile does not bring the customer back (see `features.under_way`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from features import builds, quarantine, under_way
from features.log import Pending, Receipt, Record
from features.projector import FOLLOWED
from features.stores import Store, StoreError, Writing

REMAINS = "third-party files are the brand's own: remove the customer there, or the next build reads them again"


class Erases(Protocol):
    """What an erasure needs of the log."""

    def erase(self, customer_id: str, *, at: datetime) -> Receipt | None: ...
    def last_sequence(self) -> int: ...
    def read(self, *, after: int, kinds: Sequence[str], limit: int | None) -> Iterator[Record]: ...
    def pending(self, customer_id: str) -> list[Pending]: ...
    def finish(self, receipt_id: str) -> None: ...


class Follows(Protocol):
    """What an erasure needs of the projector."""

    def run_once(self) -> int: ...
    def fold_anew(self, customer_ids: Sequence[str], writing: Writing) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What was deleted of one customer, and what remains. `log` is None where the log had nothing (left) to erase.

    `online`, `offline` and `quarantined` count rows of the online store, the point-in-time tables and refused input.
    """

    erased_at: datetime
    log: Receipt | None
    online: int
    offline: int
    quarantined: int
    remains: tuple[str, ...]

    def lines(self) -> list[str]:
        """For a person; it names nobody."""
        told = [f"erased    at {self.erased_at.isoformat(timespec='seconds')}"]
        if self.log is not None:
            told.append(
                f"erased    {self.log.records:,} records, {self.log.states} state, {self.log.offers:,} offers of the log, "
                f"under {len(self.log.members)} ids"
            )
            told.append(f"erased    receipt {self.log.receipt_id}, record {self.log.sequence} of the log")
        told.append(f"erased    {self.online:,} rows online, {self.offline:,} rows offline, {self.quarantined:,} quarantined")
        return told + [f"remains   {what}" for what in self.remains]


def erase(customer_id: str, *, log: Erases, store: Store, projector: Follows, data: Path, at: datetime) -> Erasure | None:
    """Erase the customer whom an id means, under all their ids; None where nothing was kept of them.

    `data` is the workspace's folder of that name. What records bring of these ids after the log's erasure stays.
    """
    receipt = log.erase(customer_id, at=at)
    unfinished = log.pending(customer_id)
    offline = quarantined = online = 0
    for one in unfinished or [Pending(receipt_id="", sequence=log.last_sequence(), members=(customer_id,))]:
        # the tables before the store, which is loaded from them
        offline += _forgotten(data / "offline", one, by_sequence=bool(unfinished))
        quarantined += quarantine.forget(data / "quarantine", one.members)
        online += _taken_out(one, log, store, projector)
    for one in unfinished:
        log.finish(one.receipt_id)
    if receipt is None and not offline and not online and not quarantined:
        return None
    remains = (REMAINS,) if receipt is None else (receipt.remains, REMAINS)
    return Erasure(erased_at=at, log=receipt, online=online, offline=offline, quarantined=quarantined, remains=remains)


def _forgotten(offline: Path, erased: Pending, *, by_sequence: bool) -> int:
    if not offline.is_dir():
        return 0
    with under_way.alone(offline):
        if by_sequence:
            under_way.tell(offline, erased)
        if builds.current(offline) is None:
            builds.clear(offline)
            return 0
        # polars is needed where there are tables only
        from features.forgetting import forget

        return forget(offline, erased.members, since=erased.sequence if by_sequence else None)


def _taken_out(erased: Pending, log: Erases, store: Store, projector: Follows) -> int:
    """Rows deleted from the online store, whose cursor moves past the erasure.

    Another projector may hold records that it read before the erasure: it drops them when the cursor has passed them. What
    came after it may be folded into the rows already, and is folded again from the log: an id may start afresh meanwhile.
    """
    while True:
        try:
            projector.run_once()
        except StoreError:  # a stale store follows no log; it is loaded anew before it does
            with store.changing() as writing:
                return sum(map(writing.delete, erased.members))
        with store.changing() as writing:
            unfolded = next(log.read(after=writing.cursor, kinds=FOLLOWED, limit=1), None)
            if unfolded is None or unfolded.sequence > erased.sequence:
                writing.move(max(writing.cursor, erased.sequence))
                count = sum(map(writing.delete, erased.members))
                projector.fold_anew(erased.members, writing)
                return count
