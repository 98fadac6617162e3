"""The forms of what people say about themselves and what is said to them: preferences, contests, promises, notes.

Made into a record by `recorded`, which refuses what does not fit; read back by `read`, which passes over fields that it does
not know. So a later version may add fields that can be left out; a new value of a field that is there stops an older reader.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from decisioning.errors import KairosError
from decisioning.preferences import Wanted
from decisioning.promises import PromiseStatus
from features.join import ANONYMOUS, LONGEST_ID, LONGEST_LOGGED_ID
from features.log.message_ids import RESERVED, is_reserved
from features.log.records import AHEAD, EARLIEST, Kind, Record

FARTHEST = timedelta(days=10 * 365)
"""What is due or paused for longer is a slip of the pen."""

Id = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID, pattern=r"^[^\x00-\x1f\x7f]+$")]
LoggedId = Annotated[
    str,
    Meta(
        max_length=LONGEST_LOGGED_ID,
        pattern=rf"^(?!{ANONYMOUS}$)({ANONYMOUS})?[^\x00-\x1f\x7f]{{1,{LONGEST_ID}}}$",
    ),
]
"""A customer's id as the log keeps it: an anonymous one is longer by its prefix."""
Text = Annotated[str, Meta(min_length=1, max_length=4_000)]
Moment = Annotated[datetime, Meta(tz=True)]

_T = TypeVar("_T", bound="Form")


class FormError(KairosError):
    """What somebody said does not fit its form; the text names the field and the cure."""


class Form(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the payload of one kind of record says. `customer_id` is whom it is about."""

    customer_id: LoggedId

    def faults(self, at: datetime) -> Iterator[str]:
        """What the types cannot say of what was said at a time."""
        yield from ()


class PreferenceForm(Form, frozen=True, kw_only=True, omit_defaults=True):
    """What a customer asked for; what is left out stays as it was. `source` tells where they said so.

    `a_week` null lifts the customer's own limit, `pause_until` null ends a pause.
    """

    source: Text
    topics: Mapping[Id, Wanted] = field(default_factory=dict)
    channels: Mapping[Id, Wanted] = field(default_factory=dict)
    groups: Mapping[Id, Wanted] = field(default_factory=dict)
    a_week: Annotated[int, Meta(ge=0, le=1_000)] | msgspec.UnsetType | None = msgspec.UNSET
    pause_until: Moment | msgspec.UnsetType | None = msgspec.UNSET

    def faults(self, at: datetime) -> Iterator[str]:
        wishes = self.topics or self.channels or self.groups
        if not wishes and self.a_week is msgspec.UNSET and self.pause_until is msgspec.UNSET:
            yield "it asks for nothing; give topics, channels, groups, a_week or pause_until"
        if isinstance(self.pause_until, datetime):
            yield from _absurd("pause_until", self.pause_until, at)


class PromiseForm(Form, frozen=True, kw_only=True, omit_defaults=True):
    """A promise as it was made (`status` open), or what became of it. `by` is who promised, or who says so.

    `promise_id` names one promise of the brand, whoever it was made to. `action` is the one whose message promised it,
    `make_good` the one that makes up for it where it is broken.
    """

    promise_id: Id
    by: Text
    status: PromiseStatus = "open"
    what: Text | None = None
    due: Moment | None = None
    touchpoint: Id | None = None
    decision_id: Id | None = None
    make_good: Id | None = None
    action: Id | None = None

    def faults(self, at: datetime) -> Iterator[str]:
        if self.status == "open" and (self.what is None or self.due is None):
            yield "a promise says what it promises and when it is due; give what and due"
        of_the_making = (self.what, self.due, self.touchpoint, self.decision_id, self.make_good, self.action)
        if self.status != "open" and any(one is not None for one in of_the_making):
            yield f"status {self.status} says what became of it; what, due, touchpoint, action and the like were said before"
        if self.due is not None:
            yield from _absurd("due", self.due, at)


class ContestForm(Form, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody (`by`) says that a datum of the customer's is wrong and why, or that this is `settled`.

    `feature` is a name of the profile's index; whether there is one of this name is not looked at here.
    """

    feature: Id
    by: Text
    because: Text | None = None
    settled: bool = False

    def faults(self, at: datetime) -> Iterator[str]:
        if not self.settled and self.because is None:
            yield "it does not say what is wrong; give because"


class NoteForm(Form, frozen=True, kw_only=True, omit_defaults=True):
    """What a colleague wrote down of a customer; `owner` is who takes care of it, until `due`. `customer_said` is what the
    customer said in their own words: it is read for how they feel, `text` is not.
    """

    by: Text
    text: Text
    owner: Text | None = None
    due: Moment | None = None
    customer_said: Text | None = None

    def faults(self, at: datetime) -> Iterator[str]:
        if self.due is not None:
            yield from _absurd("due", self.due, at)


FORMS: Mapping[Kind, type[Form]] = {
    "preference": PreferenceForm,
    "promise": PromiseForm,
    "contest": ContestForm,
    "note": NoteForm,
}

Said = Literal["preference", "promise", "contest", "note"]
"""The kinds of records that have a form here."""


def recorded(kind: Said, body: Mapping[str, Any], *, message_id: str, at: datetime | None, now: datetime) -> Record:
    """The record of what was said at a time (aware; now, where it is None) and is known since `now`, the engine's time.

    Raises FormError for unknown fields, wrong types and absurd times.
    """
    form = FORMS[kind]
    if unknown := sorted(set(body) - set(form.__struct_fields__)):
        raise FormError(f"{kind}: unknown field {', '.join(map(repr, unknown))}; it has {', '.join(form.__struct_fields__)}")
    try:
        said = msgspec.convert(body, form)
        msgspec.convert(message_id, Id)
    except msgspec.ValidationError as error:
        cure = "; write a time such as 2018-01-01T09:00:00Z" if "datetime" in str(error) else ""
        raise FormError(f"{kind}: {error}{cure}") from error
    if is_reserved(message_id):
        raise FormError(f"{kind}: message id {message_id!r} {RESERVED}")
    happened = now if at is None else at
    if happened.tzinfo is None or not EARLIEST <= happened <= now + AHEAD:
        span = f"lies between {EARLIEST:%Y} and the engine's time, {now:%Y-%m-%dT%H:%M:%SZ}, with an offset"
        raise FormError(f"{kind}: at {happened.isoformat()} is no time it can have been said; it {span}")
    if faults := list(said.faults(happened)):
        raise FormError(f"{kind}: {'; '.join(faults)}")
    return Record(
        kind=kind,
        message_id=message_id,
        customer_id=said.customer_id,
        event_time=happened,
        known_time=now,
        payload=msgspec.json.encode(said),
    )


def read(record: Record, form: type[_T]) -> _T:
    """What a record of a form's kind says. Raises msgspec.ValidationError for values that the form does not have."""
    return msgspec.json.decode(record.payload, type=form)


def _absurd(name: str, moment: datetime, at: datetime) -> Iterator[str]:
    if not EARLIEST <= moment <= at + FARTHEST:
        yield f"{name} {moment.isoformat()} is absurd; give a time until {at + FARTHEST:%Y}"
