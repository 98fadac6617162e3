"""GET and PUT /v1/customers/{id}/preferences: a customer's word holds from the next decision on."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.serving.conftest import Shop

PATH = "/v1/customers/anna/preferences"
JSON = {"Content-Type": "application/json"}
NOTHING = {"topics": {}, "channels": {}, "groups": {}, "a_week": None, "pause_until": None}


def put(shop: Shop, customer: str = "anna", **body: Any) -> Any:
    answer = shop.client.put(f"/v1/customers/{customer}/preferences", json={"source": "app", **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


def held(shop: Shop, customer: str = "anna") -> Any:
    return shop.client.get(f"/v1/customers/{customer}/preferences").json()


def test_one_who_asked_for_nothing_has_no_preferences(shop: Shop) -> None:
    assert held(shop) == {"customer_id": "anna", **NOTHING, "said": {}}


def test_what_is_asked_for_is_kept_and_what_is_left_out_stays(shop: Shop) -> None:
    put(shop, topics={"bakery": "more"}, channels={"email": "none"}, groups={"offers": "less"}, a_week=2)
    after = put(shop, topics={"produce": "less"}, pause_until="2018-02-01T00:00:00Z")
    assert after == held(shop) == {
        "customer_id": "anna",
        "topics": {"bakery": "more", "produce": "less"},
        "channels": {"email": "none"},
        "groups": {"offers": "less"},
        "a_week": 2,
        "pause_until": "2018-02-01T00:00:00Z",
        "said": dict.fromkeys(
            ["channel:email", "group:offers", "pace", "pause", "topic:bakery", "topic:produce"], "2018-01-01T14:00:00Z"
        ),
    }  # fmt: skip


def test_null_lifts_a_limit_and_ends_a_pause(shop: Shop) -> None:
    put(shop, a_week=2, pause_until="2018-02-01T00:00:00Z")
    shop.later(minutes=1)
    after = put(shop, a_week=None, pause_until=None)
    assert (after["a_week"], after["pause_until"]) == (None, None)


def test_a_pause_that_is_over_is_none(shop: Shop) -> None:
    assert put(shop, pause_until="2017-12-31T00:00:00Z")["pause_until"] is None


def test_less_like_a_message_is_less_of_its_topics(shop: Shop) -> None:
    shop.known()
    made = shop.decide()
    assert made["results"][0]["action"] == "bread"
    assert put(shop, less_like=made["decision_id"])["topics"] == {"bakery": "less"}


def test_less_like_a_message_without_topics_is_less_of_its_group(shop: Shop) -> None:
    shop.event("Complaint Opened")
    made = shop.decide(touchpoint="phone")
    assert made["results"][0]["action"] == "sorry"
    after = put(shop, less_like=made["decision_id"])
    assert (after["topics"], after["groups"]) == ({}, {"care": "less"})


def test_less_like_never_gives_back_what_was_declined(shop: Shop) -> None:
    shop.known()
    made = shop.decide()
    put(shop, topics={"bakery": "none"})
    before = shop.log.last_sequence()
    shop.later(minutes=1)
    assert put(shop, less_like=made["decision_id"])["topics"] == {"bakery": "none"}
    assert shop.log.last_sequence() == before


def test_what_is_asked_for_by_name_holds_beside_less_like(shop: Shop) -> None:
    shop.known()
    made = shop.decide()
    after = put(shop, less_like=made["decision_id"], topics={"bakery": "none", "produce": "more"})
    assert after["topics"] == {"bakery": "none", "produce": "more"}


def test_of_several_messages_the_one_that_is_meant_is_named(shop: Shop) -> None:
    shop.known()
    made = shop.decide(placements=[{"id": "hero"}, {"id": "footer"}])
    answer = shop.client.put(PATH, json={"source": "app", "less_like": made["decision_id"]})
    assert (answer.status_code, answer.json()["title"]) == (422, "Which action?")
    assert put(shop, less_like=made["decision_id"], action="points")["groups"] == {"care": "less"}


def test_a_repeated_message_id_counts_once(shop: Shop) -> None:
    put(shop, topics={"bakery": "less"}, message_id="w-1")
    put(shop, topics={"bakery": "more"}, message_id="w-2")
    put(shop, topics={"bakery": "less"}, message_id="w-1")
    assert shop.log.last_sequence() == 2
    answer = shop.client.put("/v1/customers/ben/preferences", json={"source": "app", "a_week": 1, "message_id": "w-1"})
    assert (answer.status_code, answer.json()["title"]) == (409, "This message id is taken")


@pytest.mark.parametrize(
    "other", [{"topics": {"bakery": "none"}}, {"topics": {"produce": "less"}}, {"channels": {"email": "none"}}, {"a_week": 0}]
)
def test_a_wish_never_passes_for_another_that_came_under_its_id(other: dict[str, Any], shop: Shop) -> None:
    asked = {"source": "app", "message_id": "w-1", "pause_until": "2018-02-01T00:00:00Z"}
    for _ in range(2):
        put(shop, **asked | {"topics": {"bakery": "less"}, "a_week": 2})
    answer = shop.client.put(PATH, json=asked | other)
    assert (answer.status_code, answer.json()["title"]) == (409, "This message id is taken")
    assert shop.log.last_sequence() == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param({}, "it asks for nothing", id="nothing"),
        pytest.param({"topics": {"wine": "more"}}, "'wine' is none of this brand's topics; known: bakery, produce", id="topic"),
        pytest.param({"channels": {"fax": "none"}}, "known: app, email, phone", id="channel"),
        pytest.param({"groups": {"gifts": "less"}}, "known: care, offers", id="group"),
        pytest.param({"topics": {"bakery": "never"}}, "body.topics.bakery", id="no such wish"),
        pytest.param({"topics": ["bakery"]}, "body.topics", id="a list of topics"),
        pytest.param({"a_week": -1}, "body.a_week", id="less than none"),
        pytest.param({"a_week": 1.5}, "body.a_week", id="half a message"),
        pytest.param({"pause_until": "2099-01-01T00:00:00Z"}, "absurd", id="a pause of 80 years"),
        pytest.param({"pause_until": "2018-02-01"}, "body.pause_until", id="a day without a time"),
        pytest.param({"less_like": "d-0"}, "no decision was logged under 'd-0'", id="unknown decision"),
        pytest.param({"action": "bread", "a_week": 1}, "give it as less_like", id="an action of no decision"),
        pytest.param({"a_week": 1, "source": ""}, "body.source", id="from nowhere"),
        pytest.param({"a_week": 1, "colour": "red"}, "body.colour", id="unknown field"),
        pytest.param({"a_week": 1, "\ud800": 1}, "malformed", id="half a character"),
        pytest.param({"topics": {"\ud800": "more"}}, "malformed", id="half a topic"),
    ],
)
def test_nonsense_is_refused_with_the_cure_and_nothing_is_kept(body: dict[str, Any], says: str, shop: Shop) -> None:
    answer = shop.client.put(PATH, content=json.dumps({"source": "app"} | body), headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert says in answer.text
    assert shop.log.last_sequence() == 0


def test_there_is_nothing_like_a_decision_that_chose_nothing_or_was_anothers(shop: Shop) -> None:
    nothing = shop.decide(touchpoint="phone")["decision_id"]
    shop.known("ben")
    anothers = shop.decide("ben")["decision_id"]
    for decision, title in ((nothing, "Less like what?"), (anothers, "Another customer's decision")):
        answer = shop.client.put(PATH, json={"source": "app", "less_like": decision})
        assert (answer.status_code, answer.json()["title"]) == (422, title)


def test_nobody_has_no_preferences(shop: Shop) -> None:
    assert shop.client.get("/v1/customers/anonymous:/preferences").status_code == 422


def test_without_its_log_preferences_are_put_off(broken_log: TestClient) -> None:
    for answer in (broken_log.put(PATH, json={"source": "app", "a_week": 1}), broken_log.get(PATH)):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
