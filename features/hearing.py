"""What a customer's own words say of how they feel, written into their record as it is taken in.

The record keeps the feeling and what read it, beside the words and under the same key. States are folded from what is kept:
another model reads later words otherwise, never those that were read.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from decisioning.emotion import Feeling
from features import bundle, text_emotion
from features.bundle import BundleError
from features.log import Record
from features.log.felt import SAID, with_feeling

Read = Callable[[str], Feeling]


class CurrentReading:
    """How words are read now: by the bundle that the pointer in a folder names, where it has a model of words; else by the
    lexicon. A bundle that is damaged changes nothing: `serving.scoring.current` tells of it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._seen: str | None = None
        self._reading: tuple[str, Read] = (text_emotion.NAME, text_emotion.feeling)

    def __call__(self) -> tuple[str, Read]:
        """The name under which records keep it, and what reads."""
        current = bundle.current(self._folder)
        with self._lock:
            if current != self._seen:
                self._reading, self._seen = self._of(current), current
            return self._reading

    def _of(self, current: str | None) -> tuple[str, Read]:
        try:
            found = None if current is None else bundle.read(self._folder, current).emotion
        except BundleError:
            return self._reading
        if found is None or found.words is None:
            return text_emotion.NAME, text_emotion.feeling
        return found.hash, found.words.feeling


class Hearing:
    """Writes into records what their customers' words say. `words` names, by event, the property that holds them."""

    def __init__(self, words: Mapping[str, str], reading: Callable[[], tuple[str, Read]]) -> None:
        self._words, self._reading = words, reading
        self._sought = tuple(msgspec.json.encode(event) for event in words)

    def __call__(self, records: Sequence[Record]) -> list[Record]:
        """The same records, those with words that say something with `felt` in their payload: valence, intensity and
        confidence, `by` the name of what read them, `of` the property.
        """
        return [self._heard(record) for record in records]

    def _heard(self, record: Record) -> Record:
        if record.customer_id is None or not self._may_speak(record):
            return record
        said = next(_said(record, self._words), None)
        if said is None:
            return record
        (of, text), (by, read) = said, self._reading()
        found = read(text)
        if not (found.confidence and found.intensity):
            return record
        return with_feeling(record, found, by=by, of=of)

    def _may_speak(self, record: Record) -> bool:
        """Most events hold no words: tell those without decoding them."""
        if record.kind == "note":
            return SAID.encode() in record.payload
        return record.kind == "event" and any(event in record.payload for event in self._sought)


def _said(record: Record, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The property of a record that holds its customer's words, and these."""
    body = record.body
    of = SAID if record.kind == "note" else words.get(str(body.get("event")))
    if of is None:
        return
    text = (body if record.kind == "note" else body.get("properties") or {}).get(of)
    if isinstance(text, str) and text.strip():
        yield of, text
