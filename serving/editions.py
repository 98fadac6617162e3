"""A server goes on with what is published while it runs: a version has its ports, and a request keeps those it began with."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from decisioning.errors import KairosError
from features.log import LogUnavailable
from features.playbook import Playbook
from features.published import OTHER_PROFILES
from serving.ports import Ports

LOOK_S = 1.0
"""Between two looks for what was published."""

Newer = Callable[[Ports], Ports | None]
"""From the ports that answer to those that shall; the same where that version was published again, None where none was.

Raises KairosError where what was published cannot be taken up.
"""


def taken_up(newest: Callable[[], Playbook | None], edition: Callable[[Playbook], Ports]) -> Newer:
    """Takes up the newest published playbook as an edition, where the stored profiles are those it asks for.

    Where it wants other profiles the running server stays as it is, and says so: the store is made anew first.
    """

    def newer(now: Ports) -> Ports | None:
        book, mine = newest(), now.playbook
        if book is None or book.version == mine.version:
            return None if book is None else now
        if (book.profile, book.brand.time_zone) != (mine.profile, mine.brand.time_zone):
            raise KairosError(f"version {book.version} has other profiles (profile.yaml or time_zone): {OTHER_PROFILES}")
        return edition(book)

    return newer


class Editions:
    """The ports that answer. Called, the ports of the version taken up last."""

    def __init__(self, first: Ports, newer: Newer | None = None) -> None:
        self._ports, self._newer = first, newer
        self._trouble: str | None = None

    def __call__(self) -> Ports:
        return self._ports

    @property
    def trouble(self) -> str | None:
        """Why the published version is not the one that answers; None where it is."""
        return self._trouble

    def look(self) -> None:
        """Take up what was published. Never raises: where that fails the version of before answers on."""
        if self._newer is None:
            return
        try:
            ports = self._newer(self._ports)
        except LogUnavailable:
            return  # what is published is looked for again, and health tells of the log
        except Exception as error:
            self._trouble = str(error) if isinstance(error, KairosError) else f"{type(error).__name__}: {error}"
            return
        if ports is not None:
            self._ports, self._trouble = ports, None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Inside, a thread looks again and again. To leave waits for the look in hand."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(LOOK_S):
                self.look()

        thread = threading.Thread(target=watch, name="what is published is taken up", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
