"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from decisioning.errors import KairosError


@contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """A place beside `out` to write to, with rights for its owner alone; it becomes `out` when all went well.

    Raises KairosError where the folder is none or cannot be written to.
    """
    place = out.with_name(f".{out.name}.{token_hex(4)}")
    try:
        place.touch(mode=0o600)
    except OSError as error:
        raise KairosError(f"{out}: cannot be written ({error.strerror}); name a file in a folder of yours") from error
    try:
        yield place
        os.replace(place, out)
    except OSError as error:
        raise KairosError(f"{out}: cannot be written ({error.strerror}); free some room or name another place") from error
    finally:
        place.unlink(missing_ok=True)


def write_whole(out: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises KairosError as `whole_file` does."""
    with whole_file(out) as place:
        place.write_bytes(content)
