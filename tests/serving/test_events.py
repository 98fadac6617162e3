"""POST /v1/events and POST /v1/outcomes: what is heard moves the next decision."""

import pytest
from fastapi.testclient import TestClient

from tests.serving.conftest import Shop


def test_an_order_is_in_the_profile_of_the_next_decision(shop: Shop) -> None:
    shop.consent()
    assert shop.decide()["journey_stage"] == "prospect"
    assert shop.order() == {"accepted": 1, "duplicates": 0}
    answer = shop.decide()
    assert answer["journey_stage"] == "active"
    assert answer["results"][0]["action"] == "bread"


def test_a_repeated_message_counts_once(shop: Shop) -> None:
    message = {"type": "track", "event": "Order Completed", "messageId": "once", "userId": "anna", "properties": {"total": 5}}
    assert shop.post("/v1/events", {"batch": [message, message]}) == {"accepted": 1, "duplicates": 1}
    assert shop.post("/v1/events", {"batch": [message]}) == {"accepted": 0, "duplicates": 1}


def test_a_complaint_stops_selling_at_every_touchpoint_and_its_end_lets_it_go_on(shop: Shop) -> None:
    shop.known()
    assert shop.decide()["results"][0]["action"] == "bread"
    shop.event("Complaint Opened", complaint_id="c-1")
    answer = shop.decide()
    assert answer["results"][0]["action"] == "sorry"
    assert answer["results"][0]["reason"] == "care_before_selling"
    assert answer["reasons"] == ["selling_suppressed"]
    bread = next(one for one in answer["rejected"] if one["action"] == "bread")
    assert bread == {
        "action": "bread",
        "tier": "suitability",
        "rule": "open_complaint",
        "unlock": "state.open_complaint = false (is true)",
    }
    assert shop.decide(touchpoint="phone")["results"][0]["action"] == "sorry"
    shop.event("Complaint Closed", complaint_id="c-1")
    # the complaint is closed, the feeling is not yet healed
    assert next(one for one in shop.decide()["rejected"] if one["action"] == "bread")["rule"] == "negative_emotion"


def test_what_a_customer_writes_in_anger_stops_selling_at_the_next_decision(shop: Shop) -> None:
    shop.known()
    shop.event("Live Chat Message Sent", message_body="This is terrible, I am very angry and disappointed!")
    answer = shop.decide()
    assert answer["reasons"] == ["selling_suppressed"]
    assert next(one for one in answer["rejected"] if one["action"] == "bread")["rule"] == "negative_emotion"


def test_a_rejection_rests_the_whole_group(shop: Shop) -> None:
    shop.known()
    made = shop.decide()
    outcome = {"message_id": "o-1", "decision_id": made["decision_id"], "outcome": "rejected"}
    assert shop.post("/v1/outcomes", outcome) == {"accepted": True, "decision_id": made["decision_id"], "action": "bread"}
    assert shop.post("/v1/outcomes", outcome)["accepted"] is False
    bread = next(one for one in shop.decide()["rejected"] if one["action"] == "bread")
    assert (bread["tier"], bread["rule"]) == ("contact", "cool_down")


def test_shows_without_response_lower_the_next_priority_and_a_success_raises_it(shop: Shop) -> None:
    shop.known("anna")
    shop.known("bob")
    first = shop.decide("anna")
    shop.post("/v1/outcomes", {"message_id": "o-1", "decision_id": first["decision_id"], "outcome": "shown"})
    ignored = shop.decide("bob", mode="simulate")["results"][0]["priority"]
    assert ignored < first["results"][0]["priority"]
    shop.post("/v1/outcomes", {"message_id": "o-2", "decision_id": first["decision_id"], "outcome": "accepted"})
    accepted = shop.decide("bob", mode="simulate")["results"][0]["priority"]
    assert accepted > first["results"][0]["priority"]


def test_what_a_machine_opened_is_kept_as_that(shop: Shop) -> None:
    shop.known()
    outcome = {"decision_id": shop.decide()["decision_id"], "outcome": "opened"}
    shop.post("/v1/outcomes", outcome | {"message_id": "o-1", "machine": True})
    shop.post("/v1/outcomes", outcome | {"message_id": "o-2", "machine": False})
    first, second = (shop.log.record(name) for name in ("o-1", "o-2"))
    assert first is not None and first.body["machine"] is True
    assert second is not None and "machine" not in second.body


def test_a_machine_neither_buys_nor_declines(shop: Shop) -> None:
    shop.known()
    outcome = {"message_id": "o", "decision_id": shop.decide()["decision_id"], "outcome": "accepted", "machine": True}
    answer = shop.client.post("/v1/outcomes", json=outcome)
    assert answer.status_code == 422
    assert "only opened and clicked can be a machine's doing" in answer.text


def test_unsubscribing_closes_the_channel(shop: Shop) -> None:
    shop.known()
    made = shop.decide(touchpoint="email")
    shop.post("/v1/outcomes", {"message_id": "o-1", "decision_id": made["decision_id"], "outcome": "unsubscribed"})
    answer = shop.decide(touchpoint="email")
    assert {one["rule"] for one in answer["rejected"]} == {"channel_closed"}


def test_an_identified_customer_is_greeted_by_name(shop: Shop) -> None:
    shop.known()
    message = {"type": "identify", "messageId": "i-1", "userId": "anna", "traits": {"first_name": "Anna"}}
    shop.post("/v1/events", {"batch": [message]})
    assert shop.decide()["results"][0]["message"]["title"] == "Bread, Anna"


def test_a_batch_with_a_fault_is_refused_whole_and_names_each_fault(shop: Shop) -> None:
    good = {"type": "track", "event": "Order Completed", "messageId": "m", "userId": "anna"}
    nameless = {"type": "track", "messageId": "n", "userId": "anna"}
    early = {**good, "messageId": "o", "timestamp": "2031-01-01T00:00:00Z"}
    before = shop.log.last_sequence()
    ancient = {**good, "messageId": "p", "timestamp": "0001-01-01T00:00:00Z"}
    answer = shop.client.post("/v1/events", json={"batch": [good, nameless, early, ancient]})
    assert answer.status_code == 422
    fields = [error["field"] for error in answer.json()["errors"]]
    assert fields == ["batch.1.event", "batch.2.timestamp", "batch.3.timestamp"]
    assert shop.log.last_sequence() == before


def test_too_many_messages_are_refused(shop: Shop) -> None:
    batch = [{"type": "page", "messageId": f"m{at}", "userId": "anna"} for at in range(501)]
    assert shop.client.post("/v1/events", json={"batch": batch}).status_code == 422


def test_an_outcome_of_a_decision_nobody_made_is_refused(shop: Shop) -> None:
    answer = shop.client.post("/v1/outcomes", json={"message_id": "o", "decision_id": "none", "outcome": "shown"})
    assert (answer.status_code, answer.json()["title"]) == (422, "Unknown decision")


def test_an_outcome_must_name_its_action_where_several_were_chosen(shop: Shop) -> None:
    shop.known()
    made = shop.decide(placements=[{"id": "hero"}, {"id": "footer"}])
    outcome = {"message_id": "o", "decision_id": made["decision_id"], "outcome": "clicked"}
    answer = shop.client.post("/v1/outcomes", json=outcome)
    assert answer.status_code == 422
    assert "bread, points" in answer.json()["detail"]
    assert shop.post("/v1/outcomes", {**outcome, "action": "points"})["action"] == "points"
    assert shop.post("/v1/outcomes", {**outcome, "message_id": "p", "placement": "footer"})["accepted"] is True


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"placement": "heroine"}, "name one of the places that this decision filled: footer, hero", id="no place"),
        pytest.param({"placement": "hero", "action": "points"}, "chose: bread", id="another place's action"),
        pytest.param({"action": "sorry"}, "chose: bread, points", id="an action that was not chosen"),
        pytest.param({"action": "bread", "at": "2018-01-01T14:05:01Z"}, "send when it happened", id="six minutes ahead"),
        pytest.param({"action": "bread", "at": "1969-12-31T00:00:00Z"}, "send when it happened", id="before all"),
    ],
)
def test_what_cannot_have_become_of_a_decision_is_refused_with_the_cure(changes: dict[str, str], says: str, shop: Shop) -> None:
    shop.known()
    made = shop.decide(placements=[{"id": "hero"}, {"id": "footer"}])
    before = shop.log.last_sequence()
    outcome = {"message_id": "o", "decision_id": made["decision_id"], "outcome": "clicked"}
    answer = shop.client.post("/v1/outcomes", json=outcome | changes)
    assert answer.status_code == 422 and says in answer.json()["detail"]
    assert shop.log.last_sequence() == before


def test_of_a_decision_that_chose_nothing_no_action_can_be_rejected(shop: Shop) -> None:
    made = shop.decide(touchpoint="phone")
    assert made["results"][0]["kind"] == "nothing"
    outcome = {"message_id": "o", "decision_id": made["decision_id"], "outcome": "rejected"}
    answer = shop.client.post("/v1/outcomes", json=outcome | {"action": "bread"})
    assert (answer.status_code, answer.json()["title"]) == (422, "Which action?")
    assert "leave action out" in answer.json()["detail"]
    assert shop.post("/v1/outcomes", outcome | {"outcome": "complained"})["action"] is None


def test_a_clock_that_runs_a_little_ahead_loses_no_outcome(shop: Shop) -> None:
    shop.known()
    outcome = {"message_id": "o", "decision_id": shop.decide()["decision_id"], "outcome": "clicked"}
    assert shop.post("/v1/outcomes", outcome | {"at": "2018-01-01T14:00:01Z"})["accepted"] is True


def test_a_message_id_is_of_one_outcome(shop: Shop) -> None:
    shop.known()
    first, second = shop.decide()["decision_id"], shop.decide(touchpoint="email")["decision_id"]
    outcome = {"message_id": "o", "decision_id": first, "outcome": "shown"}
    shop.post("/v1/outcomes", outcome)
    for other in ({"outcome": "accepted"}, {"decision_id": second}, {"message_id": "m-2"}):
        answer = shop.client.post("/v1/outcomes", json=outcome | other)
        assert (answer.status_code, answer.json()["title"]) == (409, "This message id is taken")


def test_without_its_log_events_and_outcomes_are_put_off(broken_log: TestClient) -> None:
    event = {"type": "track", "event": "Order Completed", "messageId": "m", "userId": "anna"}
    outcome = {"message_id": "o", "decision_id": "d", "outcome": "shown"}
    for path, body in (("/v1/events", {"batch": [event]}), ("/v1/outcomes", outcome)):
        answer = broken_log.post(path, json=body)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"


def test_numbers_that_are_none_are_kept_in_the_log_and_fold_to_nothing(shop: Shop) -> None:
    shop.known()
    before = shop.decide(mode="simulate", decision_id="look")
    shop.event("Order Completed", total="abc", products=[{"price": "x"}])
    shop.event("Order Completed", total=12, products="none")
    shop.event("Satisfaction Rated", rating="excellent")
    assert shop.decide(mode="simulate", decision_id="look")["journey_stage"] == before["journey_stage"]
