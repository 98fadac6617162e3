"""What customers and colleagues say in the story, each with the decision before it and the one after it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from examples.grocer.calling import Answer, Server
from serving.clock import HeldClock

Call = tuple[str, str, Answer]
"""A method, a path and a body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One customer at one touchpoint before and after something was posted, and what made the difference."""

    before: Answer
    posted: Answer
    after: Answer
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Somebody says something. `say` makes it of the decision before; `passes` is the time until the decision after."""

    name: str
    customer: str
    touchpoint: str
    say: Callable[[str, Answer], Call]
    passes: timedelta = timedelta(0)


def changes(server: Server, clock: HeldClock) -> Iterator[Change]:
    """Every moment of the story in turn: each moves the very next decision."""
    for moment in MOMENTS:
        before = _decide(server, moment, "before")
        method, path, body = moment.say(moment.customer, before)
        server.ask(path, body, method=method)
        clock.go_on(moment.passes)
        after = _decide(server, moment, "after")
        yield Change(
            before=before,
            posted={"method": method, "path": path, "body": body},
            after=after,
            because=_because(before, after),
        )


def _decide(server: Server, moment: Moment, when: str) -> Answer:
    return server.decide(
        {
            "decision_id": f"demo-{moment.customer}-{moment.name}-{when}",
            "customer_id": moment.customer,
            "touchpoint": moment.touchpoint,
            "explain": "staff",
        }
    )


def _rejects(customer: str, before: Answer) -> Call:
    return _outcome(customer, before, "rejected")


def _says_later(customer: str, before: Answer) -> Call:
    return _outcome(customer, before, "maybe_later")


def _takes(customer: str, before: Answer) -> Call:
    return _outcome(customer, before, "accepted")


def _complains(customer: str, _: Answer) -> Call:
    return _event(customer, "Complaint Opened")


def _is_content_again(customer: str, _: Answer) -> Call:
    return _event(customer, "Complaint Closed")


def _wants_less_of_it(customer: str, before: Answer) -> Call:
    """In the app, below the message: less like this."""
    body = {"source": "app", "less_like": before["decision_id"], "message_id": f"demo-{customer}-wish"}
    return "PUT", f"/v1/customers/{customer}/preferences", body


def _is_promised_a_call(customer: str, before: Answer) -> Call:
    """A colleague promises it for within the hour, and forgets."""
    body = {
        "message_id": f"demo-{customer}-promise",
        "customer_id": customer,
        "what": "We call you back about your delivery.",
        "due": (datetime.fromisoformat(before["at"]) + timedelta(hours=1)).isoformat(),
        "by": "Kim",
        "touchpoint": "call_centre",
        "make_good": "sorry_voucher",
    }
    return "POST", "/v1/promises", body


MOMENTS = (
    Moment(name="refusal", customer="13", touchpoint="app_home", say=_rejects),
    Moment(name="complaint", customer="117", touchpoint="app_home", say=_complains),
    Moment(name="closing", customer="117", touchpoint="call_centre", say=_is_content_again),
    Moment(name="wish", customer="22", touchpoint="app_home", say=_wants_less_of_it),
    # "maybe later" works slowly: within the hour the group of messages all but falls silent
    Moment(name="later", customer="59", touchpoint="app_home", say=_says_later, passes=timedelta(hours=1)),
    Moment(name="promise", customer="65", touchpoint="app_home", say=_is_promised_a_call, passes=timedelta(hours=2)),
    Moment(name="making-good", customer="65", touchpoint="app_home", say=_takes),
)


def _outcome(customer: str, decision: Answer, outcome: str) -> Call:
    body = {"message_id": f"demo-{customer}-{outcome}", "decision_id": decision["decision_id"], "outcome": outcome}
    return "POST", "/v1/outcomes", body


def _event(customer: str, event: str) -> Call:
    message = {
        "type": "track",
        "messageId": f"demo-{customer}-{event}",
        "userId": customer,
        "event": event,
        "properties": {"complaint_id": f"complaint-{customer}"},
    }
    return "POST", "/v1/events", {"batch": [message]}


def _because(before: Answer, after: Answer) -> str:
    """What the answers themselves say of the difference: rules that bind now and did not, and those that no longer do.

    And what the context of an action weighs now, where it is another than before.
    """
    was, now = ({one["action"]: one for one in answer["rejected"]} for answer in (before, after))
    told = [
        *_grouped(
            "now ruled out", [one for action, one in now.items() if action not in was or was[action]["rule"] != one["rule"]]
        ),
        *_grouped("no longer ruled out", [one for action, one in was.items() if action not in now]),
        *_weighed(before, after),
        f"reason of the choice: {after['results'][0]['reason']}",
    ]
    return "; ".join(told)


def _grouped(what: str, rejected: list[Answer]) -> Iterator[str]:
    rules: dict[str, list[str]] = {}
    for one in rejected:
        rules.setdefault(f"{one['tier']}/{one['rule']}", []).append(one["action"])
    for rule, actions in rules.items():
        yield f"{what} by {rule}: {', '.join(actions)}"


def _weighed(before: Answer, after: Answer) -> Iterator[str]:
    was, now = ({one["action"]: one["terms"]["c"] for one in answer["explanation"]["ranking"]} for answer in (before, after))
    factors: dict[str, list[str]] = {}
    for action in sorted(was.keys() & now.keys()):
        if was[action] != now[action]:
            factors.setdefault(f"{now[action] / was[action]:.2f}", []).append(action)
    for factor, actions in factors.items():
        yield f"counts {factor} times what it did: {', '.join(actions)}"
