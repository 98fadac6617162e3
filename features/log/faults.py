"""What can go wrong with a log that is itself whole: another was faster, or its database does not answer."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from decisioning.errors import KairosError


class Conflict(KairosError):
    """Another decision changed the customer's state, or took the last of a budget, since it was read: decide again."""


class LogUnavailable(KairosError):
    """The log cannot be written or read now; nothing was acknowledged."""


_FAULTS: tuple[type[Exception], ...] = (
    sa.exc.DBAPIError,
    sa.exc.TimeoutError,
    # said of a connection that was lost a moment before
    sa.exc.PendingRollbackError,
    sa.exc.ResourceClosedError,
)


@contextmanager
def guarded(*drivers: type[Exception]) -> Iterator[None]:
    """Raises LogUnavailable for whatever the database, its driver or the pool of its connections raise.

    `drivers` are the errors of the drivers that are asked within without SQLAlchemy between.
    """
    try:
        yield
    except _FAULTS + drivers as error:
        raise LogUnavailable(f"the log cannot be used: {getattr(error, 'orig', error)}") from error
