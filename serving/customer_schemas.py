"""GET /v1/customers/{id} on the wire."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field


class ConsentOut(BaseModel):
    granted: bool = Field(description="Whether data may be used for this purpose now.")
    said: bool = Field(description="False where the customer never said: the brand's default holds.")
    at: datetime | None = Field(description="When they said so.")
    says: str = Field(description="What they were asked.")


class LinkOut(BaseModel):
    source: str
    target: str
    type: Literal["identify", "alias"]
    message_id: str
    at: datetime = Field(description="Since when the source is the customer whom the target names.")
    known: datetime
    set_aside: str | None = Field(description="Why it joins nothing; null where it holds.")


class ValueOut(BaseModel):
    feature: str
    says: str = Field(description="What it is, in the customer's words.")
    value: float | str | None
    unit: str
    view: str
    source: Literal["first_party", "third_party"]
    made: str = Field(description="What it is made of.")
    purpose: str
    used: bool = Field(
        description="False where the customer does not agree to the purpose or contests it: no decision reads it."
    )
    contested: datetime | None = Field(description="Since when the customer says that it is wrong; null where they do not.")
    owner: str = Field(description="Who in the company answers for it.")
    licence: str
    expires: date | None = Field(description="From this day on it may not be used any more.")
    happened: datetime | None = Field(
        description="When the newest record that made it happened, or the third party's row came into force."
    )
    known: datetime | None = Field(description="When that became known.")
    age_days: float | None = Field(description="The time since it happened.")
    records: int = Field(description="How many records of the log made it.")
    message_id: str | None = Field(description="The newest of them.")
    files: list[str] = Field(description="The third party's files that it can have come from.")


class ExchangeOut(BaseModel):
    gave: dict[str, int] = Field(description="What the customer gave, by kind, and how often: consents, ratings, and so on.")
    got: int = Field(description="How many offers they took.")
    worth: float = Field(description="What those were worth to them, in the brand's currency.")
    says: str = Field(description="The same in plain words.")


class WrittenOut(BaseModel):
    note_id: str
    at: datetime = Field(description="When it was written.")
    by: str
    text: str
    owner: str | None = Field(description="Who takes care of it.")
    due: datetime | None = Field(description="Until when.")


class CustomerOut(BaseModel):
    customer_id: str = Field(description="The customer's name among all their ids.")
    members: list[str] = Field(description="All ids of this customer.")
    links: list[LinkOut] = Field(description="Why they are one customer.")
    at: datetime = Field(description="The engine's time: values and ages are as of it.")
    known_since: datetime | None = Field(description="Null for one whom only a third party knows.")
    records: int = Field(description="How many records the log has of them.")
    consents: dict[str, ConsentOut] = Field(description="By purpose.")
    state: list[str] = Field(description="What bears on the next decision, in plain words.")
    exchange: ExchangeOut = Field(description="What they gave and what they got for it.")
    values: list[ValueOut] = Field(description="Every value of the profile that is not missing.")
    notes: list[WrittenOut] = Field(description="What colleagues wrote down of them, the newest last.")
    untold: list[str] = Field(description="What could not be told, and why.")
