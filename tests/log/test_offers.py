"""What decisions put out and what became of it: evidence, the outbox, budgets."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from decisioning.domain import Evidence, Learner
from features.log import Log, Record
from features.log.offers import Waiting, evidence, outbox, taken
from tests.log.writing import DAY, decision, offer, outcome
from tests.worlds import NOW

SHOWN, SUCCESS = Evidence(shows=1, expected=0.2, successes=0), Evidence(shows=1, expected=0.2, successes=1)


def learned(log: Log, *records: Record) -> Evidence:
    """The evidence of the coupon after records, one append each."""
    for record in records:
        log.append([record])
    learner: Learner = log.query(evidence)
    return learner.of("coupon", "app_home")


# --------------------------------------------------------------------------------------------------------------- evidence


def test_a_decision_alone_is_no_evidence(log: Log) -> None:
    assert learned(log, decision()) == Evidence()


def test_a_show_counts_as_a_failure_at_once_and_a_success_reverses_it(log: Log) -> None:
    assert learned(log, decision(), outcome("shown")) == SHOWN
    assert learned(log, outcome("accepted", at=NOW + 13 * DAY)) == SUCCESS


def test_a_success_that_comes_known_late_but_happened_in_time_still_counts(log: Log) -> None:
    assert learned(log, decision(), outcome("shown"), outcome("accepted", at=NOW + 14 * DAY)) == SUCCESS


def test_a_success_after_its_window_reverses_nothing(log: Log) -> None:
    late = NOW + 14 * DAY + timedelta(microseconds=1)
    assert learned(log, decision(), outcome("shown"), outcome("accepted", at=late)) == SHOWN


def test_a_success_without_a_show_counts_as_both(log: Log) -> None:
    assert learned(log, decision(), outcome("accepted")) == SUCCESS
    assert learned(log, outcome("shown")) == SUCCESS


def test_a_late_success_without_a_show_counts_as_a_show_only(log: Log) -> None:
    assert learned(log, decision(), outcome("accepted", at=NOW + 15 * DAY)) == SHOWN


def test_the_window_opens_when_the_message_was_seen(log: Log) -> None:
    seen, done = outcome("opened", at=NOW + 5 * DAY), outcome("accepted", at=NOW + 18 * DAY)
    assert learned(log, decision(), seen, done) == SUCCESS


@pytest.mark.parametrize("twice", ["shown", "accepted"])
def test_nothing_counts_twice(log: Log, twice: str) -> None:
    first = learned(log, decision(), outcome(twice))
    assert learned(log, outcome(twice), outcome(twice, message_id="again")) == first


@pytest.mark.parametrize("kind", ["clicked", "converted", "referred", "opened"])
def test_only_the_outcome_that_the_action_declares_is_its_success(log: Log, kind: str) -> None:
    assert learned(log, decision(), outcome(kind)) == SHOWN
    assert learned(log, decision(offer(success=kind), decision_id="d2"), outcome(kind, message_id="o2", decision_id="d2")) == (
        Evidence(shows=2, expected=0.4, successes=1)
    )


@pytest.mark.parametrize("kind", ["opened", "clicked"])
def test_what_a_machine_did_shows_the_message_and_is_no_success_until_a_person_does_it(log: Log, kind: str) -> None:
    assert learned(log, decision(offer(success=kind)), outcome(kind, message_id="by a machine", machine=True)) == SHOWN
    assert learned(log, outcome(kind)) == SUCCESS


@pytest.mark.parametrize("kind", ["rejected", "maybe_later", "ignored", "complained", "unsubscribed", "delivered"])
def test_any_sign_that_it_was_seen_is_a_show(log: Log, kind: str) -> None:
    assert learned(log, decision(), outcome(kind)) == SHOWN


NO_EVIDENCE: dict[str, tuple[Record, ...]] = {
    "a bounce": (decision(), outcome("bounced")),
    "an outcome of no action": (decision(), outcome("shown", action=None)),
    "an outcome of another action": (decision(), outcome("shown", action="other")),
    "an outcome of an unknown decision": (outcome("shown"),),
    "an imported decision": (decision(origin="imported"), outcome("shown"), outcome("accepted")),
}


@pytest.mark.parametrize("records", NO_EVIDENCE.values(), ids=NO_EVIDENCE.keys())
def test_what_says_nothing_of_an_offer_is_no_evidence(log: Log, records: tuple[Record, ...]) -> None:
    assert learned(log, *records) == Evidence()


def test_evidence_is_kept_by_action_and_touchpoint_and_says_as_of_when(log: Log) -> None:
    records = [
        decision(offer("a"), offer("b")),
        outcome("shown", action="a"),
        decision(offer("a", expected=0.5), decision_id="d2", touchpoint="email"),
        outcome("accepted", action="a", decision_id="d2", touchpoint="email"),
    ]
    log.append(records)
    assert log.query(evidence) == Learner(
        evidence={("a", "app_home"): SHOWN, ("a", "email"): Evidence(shows=1, expected=0.5, successes=1)}, snapshot=4
    )


def test_a_decision_and_its_outcomes_in_one_batch_teach_as_they_do_one_by_one(log: Log) -> None:
    log.append([decision(), outcome("shown"), outcome("accepted")])
    assert learned(log) == SUCCESS


# ----------------------------------------------------------------------------------------------------------------- outbox


def due(log: Log, before: datetime = NOW + 30 * DAY, now: datetime = NOW, **more: Any) -> list[Waiting]:
    found: list[Waiting] = log.query(lambda connection: outbox(connection, due_before=before, now=now, **more))
    return found


def email(decision_id: str, at: datetime = NOW, **changes: Any) -> Record:
    return decision(offer(at=at, **changes), decision_id=decision_id, touchpoint="email")


def test_the_outbox_holds_outbound_messages_and_waits_earliest_first(log: Log) -> None:
    wait = offer(at=NOW + DAY, kind="wait", action=None)
    log.append(
        [email("later", NOW + 2 * DAY), email("soon"), decision(wait, decision_id="wait", touchpoint="email"), decision()]
    )
    found = due(log)
    assert [(one.decision_id, one.kind, one.action) for one in found] == [
        ("soon", "action", "coupon"),
        ("wait", "wait", None),
        ("later", "action", "coupon"),
    ]
    assert (found[0].due_at, found[0].expires_at, found[0].customer_id) == (NOW, NOW + 7 * DAY, "1029")


def test_what_is_not_due_yet_or_is_over_is_not_in_the_outbox(log: Log) -> None:
    log.append([email("soon", NOW + DAY)])
    assert due(log, before=NOW + DAY) == []
    assert [one.decision_id for one in due(log, before=NOW + DAY + timedelta(microseconds=1))] == ["soon"]
    assert due(log, now=NOW + 8 * DAY) == []


@pytest.mark.parametrize("kind", ["delivered", "shown", "opened"])
def test_what_was_sent_has_left_the_outbox(log: Log, kind: str) -> None:
    log.append([email("d1"), email("d2"), outcome(kind, touchpoint="email")])
    assert [one.decision_id for one in due(log)] == ["d2"]


def test_a_page_of_the_outbox_holds_the_earliest(log: Log) -> None:
    log.append([email(f"d{at}", NOW + at * DAY) for at in (3, 1, 2)])
    assert [one.decision_id for one in due(log, limit=2)] == ["d1", "d2"]


def test_a_decision_for_nothing_puts_nothing_out(log: Log) -> None:
    log.append([decision({"kind": "nothing", "placement": "main", "send_at": None, "expires_at": None}, touchpoint="email")])
    assert due(log) == []


# ---------------------------------------------------------------------------------------------------------------- budgets


def test_what_is_shown_or_reserved_and_not_expired_is_taken(log: Log) -> None:
    log.append([decision(decision_id=f"d{at}") for at in range(1, 4)])
    log.append([outcome("shown", decision_id="d1")])

    def out(now: datetime) -> dict[str, int]:
        found: dict[str, int] = log.query(lambda connection: taken(connection, ["coupon", "other"], now))
        return found

    assert out(NOW) == {"coupon": 3, "other": 0}
    assert out(NOW + 7 * DAY) == {"coupon": 1, "other": 0}
