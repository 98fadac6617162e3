"""PUT /v1/customers/{id}/consents: given and withdrawn, and obeyed by the next decision."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.serving.conftest import Shop

PATH = "/v1/customers/anna/consents"
JSON = {"Content-Type": "application/json"}


def put(shop: Shop, **body: Any) -> Any:
    answer = shop.client.put(PATH, json={"source": "app", **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_consent_opens_and_its_withdrawal_closes_from_the_next_decision_on(shop: Shop) -> None:
    shop.order()
    assert next(one for one in shop.decide()["rejected"] if one["action"] == "bread")["rule"] == "consent_marketing"
    put(shop, marketing=True)
    assert shop.decide()["results"][0]["action"] == "bread"
    shop.later(minutes=1)
    put(shop, marketing=False)
    assert next(one for one in shop.decide()["rejected"] if one["action"] == "bread")["rule"] == "consent_marketing"


def test_data_of_a_withdrawn_purpose_are_not_read_by_the_next_decision(shop: Shop) -> None:
    shop.known()
    assert shop.decide()["journey_stage"] == "active"
    put(shop, personalisation=False)
    assert shop.decide()["journey_stage"] == "prospect"


def test_the_answer_tells_what_holds_for_every_purpose(shop: Shop) -> None:
    told = put(shop, marketing=True, personalisation=False)
    assert (told["customer_id"], told["accepted"]) == ("anna", True)
    assert {name: (one["granted"], one["said"]) for name, one in told["consents"].items()} == {
        "marketing": (True, True),
        "service": (True, False),
        "personalisation": (False, True),
    }
    assert told["consents"] == shop.client.get("/v1/customers/anna").json()["consents"]


def test_a_repeated_message_id_counts_once(shop: Shop) -> None:
    put(shop, marketing=True, message_id="c-1")
    before = shop.log.last_sequence()
    assert put(shop, marketing=True, message_id="c-1")["accepted"] is False
    assert shop.log.last_sequence() == before


def test_a_withdrawal_never_passes_for_the_consent_that_came_under_its_id(shop: Shop) -> None:
    put(shop, marketing=True, message_id="c-1")
    before = shop.log.last_sequence()
    body = {"source": "app", "service": False, "marketing": False, "message_id": "c-1"}
    answer = shop.client.put(PATH, json=body)
    assert (answer.status_code, answer.json()["title"]) == (409, "This message id is taken")
    assert shop.log.last_sequence() == before


def test_a_word_on_one_purpose_more_needs_an_id_of_its_own(shop: Shop) -> None:
    put(shop, marketing=True, message_id="c-1")
    body = {"source": "app", "marketing": True, "service": False, "message_id": "c-1"}
    answer = shop.client.put(PATH, json=body)
    assert (answer.status_code, answer.json()["title"]) == (409, "This message id is taken")
    assert "use a new id" in answer.json()["detail"]
    assert shop.log.last_sequence() == 1


def test_where_an_erased_customer_had_the_id_nothing_is_kept_at_all(shop: Shop) -> None:
    put(shop, marketing=True, message_id="c-1")
    shop.client.delete("/v1/customers/anna")
    before = shop.log.last_sequence()
    answer = shop.client.put(PATH, json={"source": "app", "marketing": True, "service": False, "message_id": "c-1"})
    assert answer.status_code == 409
    assert shop.log.last_sequence() == before
    assert shop.log.state("anna")[0].consents == {}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param({"source": "app"}, "name the purposes, each true or false; known: marketing", id="no purpose"),
        pytest.param({"source": "app", "spying": True}, "body.spying", id="unknown purpose"),
        pytest.param(
            {"source": "app", "marketing": True, "spying": False}, "known: marketing, personalisation", id="one of two"
        ),
        pytest.param({"source": "app", "marketing": "yes"}, "body.marketing", id="a word"),
        pytest.param({"source": "app", "marketing": 1}, "body.marketing", id="a number"),
        pytest.param({"source": "app", "marketing": None}, "body.marketing", id="null"),
        pytest.param({"marketing": True}, "body.source", id="from nowhere"),
        pytest.param({"source": "app", "\ud800": True}, "malformed", id="half a character"),
        pytest.param([], "body", id="a list"),
    ],
)
def test_nonsense_is_refused_whole_with_the_cure(body: Any, says: str, shop: Shop) -> None:
    answer = shop.client.put(PATH, content=json.dumps(body), headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert says in answer.text
    assert shop.log.last_sequence() == 0


def test_without_its_log_consents_are_put_off(broken_log: TestClient) -> None:
    answer = broken_log.put(PATH, json={"source": "app", "marketing": False})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
