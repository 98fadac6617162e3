"""How often the promises of each action were kept: counted from the states, in the transaction that changes them.

It is the sum over all states, and what erased customers had added to it stays in.
"""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from decisioning.customer import State
from decisioning.domain import Ledger
from decisioning.promises import counted
from features.log import bulk
from features.log.tables import ledger


def follow(connection: sa.Connection, before: Iterable[State], after: Iterable[State]) -> None:
    """Count on: these states are what those of before have become."""
    # most states have no promises, and most records leave those that there are as they were
    changes = _difference(implied(after), implied(before))
    if not changes:
        return
    kept = kept_of(connection)
    rows = []
    for action, change in changes.items():
        so_far = kept.get(action, Ledger())
        rows.append((action, so_far.ended + change.ended, so_far.kept + change.kept))
    bulk.insert(connection, ledger, rows, over="action")


def kept_of(connection: sa.Connection) -> dict[str, Ledger]:
    """By action, how many of its promises have ended and how many of those were kept in time."""
    return {row.action: Ledger(ended=row.ended, kept=row.kept) for row in connection.execute(sa.select(ledger))}


def implied(states: Iterable[State]) -> dict[str, Ledger]:
    """What these states count for."""
    promises = (promise for state in states for promise in state.promises.values())
    return {action: Ledger(ended=ended, kept=kept) for action, (ended, kept) in counted(promises).items()}


def _difference(after: Mapping[str, Ledger], before: Mapping[str, Ledger]) -> dict[str, Ledger]:
    nothing = Ledger()
    found = {}
    for action in sorted(after.keys() | before.keys()):
        new, old = after.get(action, nothing), before.get(action, nothing)
        if new != old:
            found[action] = Ledger(ended=new.ended - old.ended, kept=new.kept - old.kept)
    return found
