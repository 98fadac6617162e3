"""Promises, notes, preferences, consents and contests on the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool

from decisioning.preferences import Wanted
from decisioning.promises import Standing
from features.join import LONGEST_ID
from features.log.message_ids import BREACH
from serving.customer_schemas import ConsentOut
from serving.schemas import Id, LoggedId, MessageId, Wire

Words = Annotated[str, Field(min_length=1, max_length=4_000)]
OwnId = Annotated[
    MessageId | None, Field(description="Makes the call idempotent: the same id counts once. Left out, each call is new.")
]
Accepted = Annotated[bool, Field(description="False where this was known already.")]


PromiseId = Annotated[MessageId, Field(max_length=LONGEST_ID - len(BREACH), description="Also the promise's own id.")]
"""Leaves room for the id of the record that the promise was broken."""


class PromiseIn(Wire):
    message_id: PromiseId
    customer_id: LoggedId
    what: Words = Field(description="What is promised, in words that the customer understands.")
    due: AwareDatetime = Field(description="Until when.")
    by: Words = Field(description="Who promises.")
    touchpoint: Id
    at: AwareDatetime | None = Field(None, description="When it was made; now, where it is left out.")
    decision_id: Id | None = Field(None, description="The decision whose message makes the promise.")
    action: Id | None = Field(None, description="Needed where that decision chose several actions.")
    make_good: Id | None = Field(None, description="The action that makes up for it where it is broken.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "message_id": "p-1",
                    "customer_id": "1029",
                    "what": "We call you back about your order.",
                    "due": "2018-01-02T22:00:00Z",
                    "by": "Kim",
                    "touchpoint": "call_centre",
                    "make_good": "sorry_voucher",
                }
            ]
        },
    )


class PromiseEndIn(Wire):
    status: Literal["kept", "broken", "waived"]
    by: Words = Field(description="Who says so.")
    at: AwareDatetime | None = Field(None, description="When it ended so; now, where it is left out.")
    message_id: OwnId = None

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"status": "kept", "by": "Kim"}]})


class PromiseOut(BaseModel):
    promise_id: str
    customer_id: str = Field(description="The customer's name.")
    accepted: Accepted
    status: Standing = Field(
        description="How it stands now. Of all that was said the word dated last holds; late is kept after it was due, and "
        "what is overdue is broken."
    )
    action: str | None = Field(description="The action whose message promised it.")


class NoteIn(Wire):
    message_id: MessageId
    customer_id: LoggedId
    by: Words = Field(description="Who writes it.")
    text: Words
    owner: Words | None = Field(None, description="Who takes care of it.")
    due: AwareDatetime | None = Field(None, description="Until when.")
    customer_said: Words | None = Field(
        None, description="What the customer said, in their own words: read for how they feel, which `text` is not."
    )

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "message_id": "n-1",
                    "customer_id": "1029",
                    "by": "Kim",
                    "text": "Prefers a call in the evening.",
                    "owner": "Kim",
                    "due": "2018-01-05T17:00:00Z",
                }
            ]
        },
    )


class NoteOut(BaseModel):
    note_id: str
    accepted: Accepted


class PreferencesIn(Wire):
    """What is left out stays as it was."""

    source: Words = Field(description="Where the customer said so.")
    topics: dict[Id, Wanted] | None = Field(None, description="By topic.")
    channels: dict[Id, Wanted] | None = Field(None, description="By channel.")
    groups: dict[Id, Wanted] | None = Field(None, description="By group of actions.")
    a_week: Annotated[int, Field(ge=0, le=1_000)] | None = Field(
        None, description="At most so many messages a week; null is as many as the brand sees fit."
    )
    pause_until: AwareDatetime | None = Field(None, description="Nothing that is not mandatory before then; null ends a pause.")
    less_like: Id | None = Field(
        None, description="A decision: less of the topics of what it chose, or of its group where it has none."
    )
    action: Id | None = Field(None, description="Needed where that decision chose several actions.")
    message_id: OwnId = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"source": "app settings", "topics": {"bakery": "more"}, "channels": {"email": "none"}, "a_week": 2},
                {"source": "app", "less_like": "0f2c7d"},
            ]
        },
    )


class PreferencesOut(BaseModel):
    customer_id: str = Field(description="The customer's name.")
    topics: dict[str, Wanted]
    channels: dict[str, Wanted]
    groups: dict[str, Wanted]
    a_week: int | None = Field(description="Null where the customer set no limit.")
    pause_until: datetime | None = Field(description="Null where there is no pause now.")
    said: dict[str, datetime] = Field(description="When each of these was said: by topic:, channel:, group:, pace, pause.")


class ConsentsIn(BaseModel):
    """One word a purpose, each true or false."""

    source: Words = Field(description="Where the customer said so.")
    message_id: OwnId = None

    __pydantic_extra__: dict[str, StrictBool]
    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"examples": [{"marketing": True, "third_party": False, "source": "app settings"}]},
    )


class ConsentsOut(BaseModel):
    customer_id: str = Field(description="The customer's name.")
    accepted: Accepted
    consents: dict[str, ConsentOut] = Field(description="By purpose, as they hold now.")


class ContestIn(Wire):
    message_id: MessageId
    feature: Id = Field(description="A feature of the profile.")
    because: Words | None = Field(None, description="What is wrong with it; needed unless it is settled.")
    by: Words = Field("customer", description="Who says so.")
    settled: bool = Field(False, description="True where the matter is settled: the datum is used again.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"message_id": "k-1", "feature": "spend_90d_bakery", "because": "I bought that for my mother."}]
        },
    )


class ContestOut(BaseModel):
    customer_id: str = Field(description="The customer's name.")
    feature: str
    accepted: Accepted
    contested: bool = Field(description="Whether the datum is set aside now: no decision reads it.")
