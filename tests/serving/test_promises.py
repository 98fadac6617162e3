"""POST /v1/promises and PATCH /v1/promises/{id}: what is promised binds the very next decision."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.serving.conftest import Shop

JSON = {"Content-Type": "application/json"}
PROMISE = {
    "message_id": "p-1",
    "customer_id": "anna",
    "what": "We call you back.",
    "due": "2018-01-02T14:00:00Z",
    "by": "Kim",
    "touchpoint": "phone",
    "make_good": "sorry",
}


def end(shop: Shop, status: str = "kept", promise: str = "p-1", **more: Any) -> Any:
    answer = shop.client.patch(f"/v1/promises/{promise}", json={"status": status, "by": "Kim", **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_promise_is_kept_by_its_message_id_and_counts_once(shop: Shop) -> None:
    told = {"promise_id": "p-1", "customer_id": "anna", "status": "open", "action": None}
    assert shop.post("/v1/promises", PROMISE) == told | {"accepted": True}
    assert shop.post("/v1/promises", PROMISE) == told | {"accepted": False}
    promise = shop.log.state("anna")[0].promises["p-1"]
    assert (promise.what, promise.by, promise.touchpoint, promise.make_good) == ("We call you back.", "Kim", "phone", "sorry")
    assert promise.made_at == shop.ports.clock.now()
    assert shop.log.last_sequence() == 1


@pytest.mark.parametrize("status", ["kept", "broken", "waived"])
def test_what_became_of_a_promise_is_kept_and_said_again_changes_nothing(status: str, shop: Shop) -> None:
    shop.post("/v1/promises", PROMISE)
    assert end(shop, status) == {
        "promise_id": "p-1", "customer_id": "anna", "status": status, "action": None, "accepted": True
    }  # fmt: skip
    assert end(shop, status)["accepted"] is False
    assert shop.log.state("anna")[0].promises["p-1"].status == status
    assert shop.log.last_sequence() == 2


def test_the_word_of_the_latest_moment_holds_whenever_it_comes(shop: Shop) -> None:
    shop.post("/v1/promises", PROMISE)
    assert end(shop, "broken", at="2018-01-01T13:00:00Z")["status"] == "broken"
    assert end(shop, "waived", at="2018-01-01T12:00:00Z")["status"] == "broken"
    assert end(shop, "kept", at="2018-01-01T13:30:00Z")["status"] == "kept"


def test_what_is_overdue_is_broken_before_anybody_says_so_and_kept_afterwards_it_is_late(shop: Shop) -> None:
    shop.post("/v1/promises", PROMISE)
    shop.later(hours=24, minutes=1)
    assert shop.post("/v1/promises", PROMISE)["status"] == "broken"
    assert end(shop, "kept")["status"] == "late"


def test_a_person_may_say_what_kairos_only_presumed(shop: Shop) -> None:
    shop.post("/v1/promises", PROMISE)
    shop.later(hours=24, minutes=1)
    shop.decide()
    assert shop.log.state("anna")[0].promises["p-1"].presumed
    assert end(shop, "broken")["accepted"] is True
    assert not shop.log.state("anna")[0].promises["p-1"].presumed
    assert end(shop, "broken")["accepted"] is False


def test_a_promise_with_the_longest_id_is_marked_when_it_is_broken(shop: Shop) -> None:
    promise = "p" * 193
    shop.post("/v1/promises", {**PROMISE, "message_id": promise})
    shop.later(hours=24, minutes=1)
    shop.decide()
    assert shop.log.state("anna")[0].promises[promise].status == "broken"
    assert end(shop, "waived", promise)["status"] == "waived"


def test_a_promise_is_one_of_the_action_that_its_decision_chose(shop: Shop) -> None:
    shop.known()
    made = shop.decide()
    assert shop.post("/v1/promises", {**PROMISE, "decision_id": made["decision_id"]})["action"] == "bread"
    assert shop.log.state("anna")[0].promises["p-1"].decision_id == made["decision_id"]


def test_a_decision_of_several_actions_asks_which_one_promised(shop: Shop) -> None:
    shop.known()
    made = shop.decide(placements=[{"id": "hero"}, {"id": "footer"}])
    asked = {**PROMISE, "decision_id": made["decision_id"]}
    answer = shop.client.post("/v1/promises", json=asked)
    assert (answer.status_code, answer.json()["title"]) == (422, "Which action?")
    assert "bread, points" in answer.json()["detail"]
    assert shop.post("/v1/promises", {**asked, "action": "points"})["action"] == "points"


def test_a_decision_that_chose_nothing_promises_by_no_action(shop: Shop) -> None:
    made = shop.decide(touchpoint="phone")
    assert made["results"][0]["kind"] == "nothing"
    assert shop.post("/v1/promises", {**PROMISE, "decision_id": made["decision_id"]})["action"] is None


def test_a_promise_may_have_been_made_earlier_than_it_is_told(shop: Shop) -> None:
    shop.post("/v1/promises", {**PROMISE, "at": "2017-12-30T09:00:00Z", "due": "2017-12-31T09:00:00Z"})
    promise = shop.log.state("anna")[0].promises["p-1"]
    assert promise.made_at is not None and promise.made_at.day == 30


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param(
            {"make_good": "bread"},
            "'bread' sells, or is said nowhere that is there to recover; an action that can make good: points, sorry",
            id="an offer",
        ),
        pytest.param(
            {"make_good": "roses"}, "'roses' is no action of this brand; known: bread, points, sorry", id="unknown action"
        ),
        pytest.param(
            {"touchpoint": "shop"}, "'shop' is no touchpoint of this brand; known: app, email, phone", id="unknown touchpoint"
        ),
        pytest.param({"decision_id": "d-0"}, "no decision was logged under 'd-0'; check the id", id="unknown decision"),
        pytest.param({"action": "bread"}, "give its decision_id", id="an action of no decision"),
        pytest.param(
            {"due": "2017-12-31T00:00:00Z"}, "before the promise was made, 2018-01-01T14:00:00Z", id="due before it is made"
        ),
        pytest.param({"due": "2099-01-01T00:00:00Z"}, "absurd", id="due in 80 years"),
        pytest.param({"at": "2018-01-02T00:00:00Z"}, "no time it can have been said", id="made tomorrow"),
        pytest.param({"due": "soon"}, "body.due", id="no time"),
        pytest.param({"due": "2018-01-02T14:00:00"}, "body.due", id="no time zone"),
        pytest.param({"what": ""}, "body.what", id="nothing promised"),
        pytest.param({"what": None}, "body.what", id="no text"),
        pytest.param({"customer_id": "anonymous:"}, "names nobody", id="nobody"),
        pytest.param({"message_id": "p:breach"}, "only ids that Kairos gives", id="an id that Kairos gives"),
        pytest.param({"message_id": "p" * 194}, "body.message_id", id="an id without room for its breach"),
        pytest.param({"colour": "red"}, "body.colour", id="unknown field"),
        pytest.param({"what": "\ud800"}, "body.what", id="half a character"),
    ],
)
def test_a_promise_that_is_nonsense_is_refused_with_the_cure_and_nothing_is_kept(
    changes: dict[str, Any], says: str, shop: Shop
) -> None:
    answer = shop.client.post("/v1/promises", content=json.dumps(PROMISE | changes), headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert says in answer.text
    assert shop.log.last_sequence() == 0


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param({"status": "forgotten", "by": "Kim"}, "body.status", id="unknown status"),
        pytest.param({"status": "open", "by": "Kim"}, "body.status", id="open again"),
        pytest.param({"status": "kept"}, "body.by", id="nobody says so"),
        pytest.param(
            {"status": "kept", "by": "Kim", "at": "2031-01-01T00:00:00Z"}, "no time it can have been said", id="in years"
        ),
        pytest.param({"status": "kept", "by": "Kim", "what": "Another."}, "body.what", id="a promise made anew"),
        pytest.param([], "body", id="a list"),
    ],
)
def test_an_ending_that_is_nonsense_is_refused(body: Any, says: str, shop: Shop) -> None:
    shop.post("/v1/promises", PROMISE)
    answer = shop.client.patch("/v1/promises/p-1", json=body)
    assert answer.status_code == 422 and says in answer.text
    assert shop.log.last_sequence() == 1


def test_only_what_was_promised_can_be_ended(shop: Shop) -> None:
    shop.event("Order Completed")  # message id m-1
    shop.post("/v1/promises", PROMISE)
    end(shop, "kept", message_id="e-1")
    for unknown in ("p-2", "m-1", "e-1"):
        answer = shop.client.patch(f"/v1/promises/{unknown}", json={"status": "kept", "by": "Kim"})
        assert (answer.status_code, answer.json()["title"]) == (404, "No such promise")


def test_a_promise_whose_id_holds_a_slash_can_be_ended(shop: Shop) -> None:
    shop.post("/v1/promises", {**PROMISE, "message_id": "crm/7"})
    assert end(shop, promise="crm/7")["status"] == "kept"


def test_a_message_id_that_says_something_else_is_refused(shop: Shop) -> None:
    shop.event("Order Completed")
    shop.post("/v1/promises", PROMISE)
    shop.post("/v1/promises", {**PROMISE, "message_id": "p-2"})
    end(shop, "kept", message_id="e-1")
    taken = [
        shop.client.post("/v1/promises", json={**PROMISE, "message_id": "m-1"}),
        shop.client.post("/v1/promises", json={**PROMISE, "message_id": "e-1"}),
        shop.client.post("/v1/promises", json={**PROMISE, "customer_id": "ben"}),
        shop.client.post("/v1/promises", json={**PROMISE, "what": "We bring you flowers."}),
        shop.client.post("/v1/promises", json={**PROMISE, "due": "2018-01-09T00:00:00Z"}),
        shop.client.patch("/v1/promises/p-1", json={"status": "broken", "by": "Kim", "message_id": "p-2"}),
        shop.client.patch("/v1/promises/p-1", json={"status": "broken", "by": "Kim", "message_id": "e-1"}),
        shop.client.patch("/v1/promises/p-2", json={"status": "kept", "by": "Kim", "message_id": "e-1"}),
    ]
    assert [(one.status_code, one.json()["title"]) for one in taken] == [(409, "This message id is taken")] * len(taken)


def test_the_decision_of_another_customer_is_no_ground_for_a_promise(shop: Shop) -> None:
    shop.known("ben")
    made = shop.decide("ben")
    answer = shop.client.post("/v1/promises", json={**PROMISE, "decision_id": made["decision_id"]})
    assert (answer.status_code, answer.json()["title"]) == (422, "Another customer's decision")


def test_a_customer_of_several_ids_is_one_customer(shop: Shop) -> None:
    shop.post("/v1/promises", {**PROMISE, "customer_id": "anonymous:x"})
    link = {"type": "identify", "messageId": "i-1", "userId": "anna", "anonymousId": "x"}
    shop.post("/v1/events", {"batch": [link]})
    assert end(shop)["customer_id"] == "anna"
    assert shop.log.state("anna")[0].promises["p-1"].status == "kept"
    assert shop.post("/v1/promises", PROMISE)["accepted"] is False


def test_a_promise_of_an_erased_customer_is_gone_and_its_id_stays_taken(shop: Shop) -> None:
    shop.post("/v1/promises", PROMISE)
    shop.client.delete("/v1/customers/anna")
    assert shop.client.patch("/v1/promises/p-1", json={"status": "kept", "by": "Kim"}).status_code == 404
    assert shop.client.post("/v1/promises", json=PROMISE).status_code == 409


def test_without_its_log_promises_are_put_off(broken_log: TestClient) -> None:
    for answer in (
        broken_log.post("/v1/promises", json=PROMISE),
        broken_log.patch("/v1/promises/p-1", json={"status": "kept", "by": "Kim"}),
    ):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
