"""The lease of a store in a file: a lock on a file beside it, which the system lets go when its holder dies."""

import fcntl
import os
from pathlib import Path

from features.stores import StoreError


class FileLease:
    """A lease (see `features.stores.Lease`) of the store that the file `path` stands beside. Nothing is written to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def held(self) -> bool:
        try:
            if self._file is not None and self._gone():
                self.release()
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from error
        return not self._gone()

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _gone(self) -> bool:
        """Whether the file was deleted or replaced: a lock on the old one keeps nobody out."""
        try:
            there, mine = os.stat(self._path), os.fstat(self._file) if self._file is not None else None
        except FileNotFoundError:
            return True
        return mine is not None and (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)
