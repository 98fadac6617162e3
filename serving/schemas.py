"""The wire: what callers send and what they get."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)

from decisioning.domain import OutcomeKind
from features.join import ANONYMOUS, LONGEST_ID, LONGEST_LOGGED_ID, is_anonymous
from features.log.message_ids import RESERVED, is_reserved

_NO_CONTROL = r"^[^\x00-\x1f\x7f]+$"

Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID, pattern=_NO_CONTROL)]
"""Any text without control characters."""


def _of_somebody(customer_id: str) -> str:
    if customer_id == ANONYMOUS:
        raise ValueError(f"names nobody; an anonymousId follows {ANONYMOUS!r}")
    if len(customer_id) > LONGEST_ID and not is_anonymous(customer_id):
        raise ValueError(f"an id has at most {LONGEST_ID} characters, not counting {ANONYMOUS!r}")
    return customer_id


def _not_of_a_link(message_id: str) -> str:
    if is_reserved(message_id):
        raise ValueError(RESERVED)
    return message_id


MessageId = Annotated[Id, AfterValidator(_not_of_a_link)]
"""The id that a caller gives a record."""
LoggedId = Annotated[str, Field(min_length=1, max_length=LONGEST_LOGGED_ID, pattern=_NO_CONTROL), AfterValidator(_of_somebody)]
"""A customer's id as the log keeps it: an anonymous one is longer by its prefix."""

Finite = Annotated[float, Field(allow_inf_nan=False)]


def _in_one_cause(value: object, valid: ValidatorFunctionWrapHandler) -> object:
    try:
        return valid(value)
    except ValidationError as error:
        raise ValueError("is none of a text of at most 1000 characters, a finite number, true and false") from error


ContextValue = Annotated[Annotated[str, Field(max_length=1000)] | Finite | bool, WrapValidator(_in_one_cause)]


class Wire(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PlacementAsk(Wire):
    id: Id = "main"
    count: Annotated[int, Field(ge=1, le=10, description="How many actions this place shows, all different.")] = 1


class DecisionAsk(Wire):
    anonymous_id: Id | None = Field(
        None, description="A visitor whom the brand does not know yet, by the anonymousId of events."
    )
    customer_id: Id | None = Field(
        None, validate_default=True, description="Any id of a customer; exactly one of customer_id and anonymous_id is given."
    )
    touchpoint: Id
    placements: list[PlacementAsk] = Field(default_factory=lambda: [PlacementAsk()], min_length=1)
    context: dict[Id, ContextValue] = Field(
        default_factory=dict, max_length=50, description="What is so of this visit only; rules read it as context.<name>."
    )
    mode: Literal["live", "simulate"] = Field("live", description="simulate decides and writes nothing.")
    explain: Literal["none", "staff", "customer"] = "none"
    decision_id: MessageId | None = Field(None, description="Makes the call idempotent: the same id gets the same answer.")

    @field_validator("customer_id", mode="after")
    @classmethod
    def _is_one_of_two(cls, customer_id: str | None, told: ValidationInfo) -> str | None:
        if "anonymous_id" in told.data and (customer_id is None) == (told.data["anonymous_id"] is None):
            raise ValueError("give either customer_id or anonymous_id")
        if is_anonymous(told.data.get("anonymous_id") or ""):
            raise ValueError(f"anonymous_id: give it without {ANONYMOUS!r}")
        if customer_id is not None and is_anonymous(customer_id):
            raise ValueError(f"only anonymous ids begin with {ANONYMOUS!r}; give what follows it as anonymous_id")
        return customer_id

    @property
    def asked_for(self) -> str:
        """The id in the form that the log keeps."""
        return self.customer_id or f"{ANONYMOUS}{self.anonymous_id}"

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"customer_id": "1029", "touchpoint": "app_home", "placements": [{"id": "hero", "count": 1}]}]
        },
    )


class MessageOut(BaseModel):
    title: str
    body: str
    cta: str


class TermsOut(BaseModel):
    p: float = Field(description="Expected increment of success: p if treated minus p if nothing.")
    c: float = Field(description="Context weight.")
    v: float = Field(description="Margin of a success, in the brand's currency.")
    l: float = Field(description="Lever set by the brand.")  # noqa: E741
    assumed: list[str] = Field(description="What in these terms was declared rather than measured.")


class WaitOut(BaseModel):
    until: datetime
    because: str
    touchpoint: str | None


class ResultOut(BaseModel):
    placement: str
    kind: Literal["action", "nothing", "wait"]
    action: str | None
    treatment: str | None
    message: MessageOut | None
    send_at: datetime | None
    expires_at: datetime | None
    priority: float | None
    terms: TermsOut | None
    probability: float | None = Field(description="Probability of this choice, given the earlier slots.")
    reason: str = Field(
        description="Why. Of an action: must_be_said, random_group, care_before_selling, highest_priority, explored. "
        "Of nothing: unknown_customer, control_group, nothing_is_worth_the_attention, nothing_passed_the_rules, "
        "earlier_places_took_all (what passed is said there, or filled a limit there), log_unavailable, state_kept_changing. "
        "Of a wait: better_elsewhere (ask at its touchpoint), or the rule that time alone unlocks."
    )
    timing: str | None = Field(description="Why this moment.")
    wait: WaitOut | None


class RejectedOut(BaseModel):
    action: str
    tier: Literal["consent", "eligibility", "applicability", "suitability", "contact"]
    rule: str
    unlock: str


class DecisionOut(BaseModel):
    decision_id: str
    customer_id: str = Field(
        description="The customer's name: another id than the one asked for where the two are one customer."
    )
    touchpoint: str
    at: datetime = Field(description="The engine's time.")
    catalog: str
    bundle: str | None
    group: Literal["treatment", "control", "random"]
    arms: dict[str, str] = Field(description="In which arm of which experiment the customer is.")
    journey_stage: str
    logged: bool
    reasons: list[str]
    results: list[ResultOut]
    rejected: list[RejectedOut]
    explanation: dict[str, Any] | None


class EventIn(BaseModel):
    """One message of the Segment spec. Fields that Kairos does not read are kept as they are."""

    type: Literal["track", "identify", "page", "screen", "group", "alias"]
    messageId: Id  # noqa: N815 - the spec's own name
    userId: Id | None = Field(None, description="The id by which the brand knows the customer.")  # noqa: N815
    anonymousId: Id | None = Field(  # noqa: N815
        None, description="What a device or browser calls itself. An identify with both ids says that they are one customer."
    )
    previousId: LoggedId | None = Field(  # noqa: N815
        None, description="Of an alias: is the customer whom userId names. After `anonymous:` it is an anonymousId."
    )
    event: str | None = Field(None, max_length=200, description="The event's name; needed for track.")
    timestamp: AwareDatetime | None = Field(None, description="When it happened; now, where it is left out.")
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "track",
                    "event": "Complaint Opened",
                    "messageId": "m-1",
                    "userId": "1029",
                    "properties": {"complaint_id": "c-1"},
                }
            ]
        },
    )


class BatchIn(Wire):
    batch: list[EventIn] = Field(min_length=1)
    sentAt: AwareDatetime | None = None  # noqa: N815


class BatchOut(BaseModel):
    accepted: int
    duplicates: int


class OutcomeIn(Wire):
    message_id: MessageId
    decision_id: Id
    outcome: OutcomeKind
    placement: Id | None = None
    action: Id | None = Field(None, description="Needed where the decision chose several actions.")
    value: Finite | None = None
    at: AwareDatetime | None = Field(None, description="When it happened; now, where it is left out.")
    machine: bool = Field(
        False,
        description="Of opened and clicked: a machine did it, such as a mail server that looks for harm, not a person. "
        "It shows that the message arrived, and is no answer.",
    )

    @field_validator("machine", mode="after")
    @classmethod
    def _can_be_a_machines(cls, machine: bool, told: ValidationInfo) -> bool:
        if machine and told.data.get("outcome") not in ("opened", "clicked"):
            raise ValueError("only opened and clicked can be a machine's doing; leave it out")
        return machine


class OutcomeOut(BaseModel):
    accepted: bool = Field(description="False where this message id was known already.")
    decision_id: str
    action: str | None


class OutboxEntry(BaseModel):
    decision_id: str
    placement: str
    customer_id: str
    touchpoint: str
    kind: Literal["action", "wait"]
    action: str | None
    due_at: datetime
    expires_at: datetime


class OutboxOut(BaseModel):
    at: datetime
    entries: list[OutboxEntry]


class ErasedOut(BaseModel):
    receipt_id: str | None = Field(
        description="The id of the log's record of it; none where the log had nothing left to erase."
    )
    erased_at: datetime
    sequence: int | None = Field(description="Where that record stands in the log.")
    records: int = Field(description="Records of the customer that nobody can read any more.")
    states: int
    offers: int
    ids: list[str] = Field(description="The ids of the customer, each of which is erased.")
    links: int = Field(description="What said that these ids are one customer.")
    online_rows: int
    offline_rows: int
    remains: list[str] = Field(description="What is still there, and why it tells nothing of the customer.")
