"""SQLite's write-ahead mode, also where several processes open a new file at once."""

import sqlite3
import time
from typing import Any

_PAUSE_S = 0.01


def keep_in_wal(connection: Any, *, within_s: float) -> None:
    """Put a connection's file in write-ahead mode. Raises sqlite3.OperationalError where others keep it locked for longer.

    SQLite does not wait for a lock here, whatever its timeout: two who change the mode at once could wait for each other.
    """
    ends = time.monotonic() + within_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > ends:
                raise
            time.sleep(_PAUSE_S)
