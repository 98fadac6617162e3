"""What can go wrong with a log that is itself whole: another was faster, or its database does not answer."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from decisioning.errors import KairosError


class Conflict(KairosError):
    """Another decision changed the customer's state, or took the last of a budget, since it was read: decide again."""


class LogUnavailable(KairosError):
    """The log cannot be written or read now; nothing was acknowledged."""


@contextmanager
def guarded() -> Iterator[None]:
    """Raises LogUnavailable for whatever the database, its driver or the pool of its connections raise."""
    try:
        yield
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        raise LogUnavailable(f"the log cannot be used: {getattr(error, 'orig', error)}") from error
