"""What a call that is at fault gets: a problem document that names the field, the cause and the cure."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.settings import Settings
from tests.serving.conftest import Shop

DECISIONS = "/v1/decisions"
ASKED = {"customer_id": "anna", "touchpoint": "app"}
NONSENSE = [
    pytest.param({"customer_id": "anna"}, "body.touchpoint", "is missing; give it", id="missing"),
    pytest.param(ASKED | {"colour": "red"}, "body.colour", "check its spelling", id="unknown"),
    pytest.param(ASKED | {"customer_id": 1029}, "body.customer_id", "write it in quotes", id="a number for a text"),
    pytest.param(ASKED | {"customer_id": ""}, "body.customer_id", "is empty; give it", id="empty"),
    pytest.param(ASKED | {"customer_id": "a" * 201}, "body.customer_id", "longer than 200 characters", id="too long"),
    pytest.param(ASKED | {"customer_id": "a\nb"}, "body.customer_id", "control character", id="a line break"),
    pytest.param(ASKED | {"customer_id": "a\ud800b"}, "body.customer_id", "half of a character", id="half a character"),
    pytest.param([], "body", "fields in braces", id="a list for an object"),
    pytest.param(ASKED | {"placements": {}}, "body.placements", "in square brackets", id="an object for a list"),
    pytest.param(ASKED | {"placements": []}, "body.placements", "give one or more", id="no place"),
    pytest.param(ASKED | {"placements": [{"count": 11}]}, "body.placements.0.count", "give 10 or less", id="too many"),
    pytest.param(ASKED | {"placements": [{"count": 0}]}, "body.placements.0.count", "give 1 or more", id="none"),
    pytest.param(ASKED | {"placements": [{"count": 1.5}]}, "body.placements.0.count", "round it", id="a half"),
    pytest.param(ASKED | {"mode": "dream"}, "body.mode", "'live' or 'simulate'", id="none of the choices"),
    pytest.param(ASKED | {"context": {"intent": ["x"]}}, "body.context.intent", "a text of at most 1000", id="a list"),
    pytest.param(ASKED | {"context": {"intent": None}}, "body.context.intent", "a finite number", id="null"),
    pytest.param(ASKED | {"context": {"x" * 201: "y"}}, f"body.context.{'x' * 100}.[key]", "longer than 200", id="a long name"),
    pytest.param(ASKED | {"context": {f"x{at}": 1 for at in range(51)}}, "body.context", "more than 50", id="a flood"),
]


@pytest.mark.parametrize(("body", "field", "says"), NONSENSE)
def test_a_fault_of_a_field_is_told_once_with_its_cure(body: Any, field: str, says: str, shop: Shop) -> None:
    answer = shop.client.post(DECISIONS, content=json.dumps(body), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    (fault,) = answer.json()["errors"]
    assert fault["field"] == field
    assert says in fault["cause"]


@pytest.mark.parametrize("at", ["yesterday", "2018-01-01", "2018-01-01T09:00:00", "2018-13-01T09:00:00Z", [1]])
def test_a_time_that_is_none_is_answered_with_one_that_is(at: Any, shop: Shop) -> None:
    answer = shop.client.post("/v1/outcomes", json={"message_id": "o", "decision_id": "d", "outcome": "shown", "at": at})
    assert [(one["field"], "2018-01-01T09:00:00Z" in one["cause"]) for one in answer.json()["errors"]] == [("body.at", True)]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_without_end_is_no_value_and_no_context(number: str, shop: Shop) -> None:
    shop.known()
    made = shop.decide()["decision_id"]
    outcome = f'{{"message_id": "o", "decision_id": "{made}", "outcome": "clicked", "value": {number}}}'
    asked = f'{{"customer_id": "anna", "touchpoint": "app", "context": {{"x": {number}}}}}'
    for path, body in (("/v1/outcomes", outcome), (DECISIONS, asked)):
        answer = shop.client.post(path, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422
        assert "finite number" in answer.json()["errors"][0]["cause"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        pytest.param(b"{nonsense", 422, "is no JSON", id="no JSON"),
        pytest.param(b"\xff\xfe\x00", 400, "JSON in UTF-8", id="another encoding"),
        pytest.param(b"[" * 100_000, 400, "nested", id="nested without end"),
    ],
)
def test_a_body_that_cannot_be_read_is_answered_with_what_can(body: bytes, status: int, says: str, shop: Shop) -> None:
    answer = shop.client.post(DECISIONS, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, says in answer.text) == (status, True)


def test_an_address_that_is_none_is_answered_with_where_to_look(shop: Shop) -> None:
    assert "/docs" in shop.client.get("/v1/coupons").json()["detail"]
    wrong = shop.client.delete(DECISIONS)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert "takes POST" in wrong.json()["detail"]


def test_ids_with_slashes_and_other_letters_have_addresses(shop: Shop) -> None:
    who, made = "crm/10 29?ü", "visit/a b#1"
    shop.known(who)
    shop.decide(who, decision_id=made)
    customer, decision = f"/v1/customers/{quote(who, safe='')}", f"{DECISIONS}/{quote(made, safe='')}"
    assert shop.client.get(decision).json()["decision_id"] == made
    assert shop.client.get(f"{decision}/why?for=staff").json()["touchpoint"] == "app"
    assert shop.client.get(customer).json()["customer_id"] == who
    assert shop.client.put(f"{customer}/consents", json={"source": "app", "marketing": False}).status_code == 200
    assert shop.client.put(f"{customer}/preferences", json={"source": "app", "a_week": 1}).json()["a_week"] == 1
    assert shop.client.get(f"{customer}/preferences").json()["a_week"] == 1
    wrong = {"message_id": "k-1", "feature": "orders_30d", "because": "It was not me."}
    assert shop.client.post(f"{customer}/contests", json=wrong).json()["contested"] is True
    assert shop.client.delete(customer).json()["ids"] == [who]


CURES = {
    "an unknown address": ("GET", "/v1/offers", 404, "nothing is at '/v1/offers'; /docs lists every address"),
    "a customer nobody knows": ("GET", "/v1/customers/nobody", 404, "check the id"),
    "nobody to erase": ("DELETE", "/v1/customers/nobody", 404, "check the id"),
    "an unknown decision": ("GET", "/v1/decisions/d-0", 404, "check the id"),
    "why of an unknown decision": ("GET", "/v1/decisions/d-0/why", 404, "check the id"),
    "an unknown promise": ("PATCH", "/v1/promises/p-0", 404, "check the id"),
    "another method": ("DELETE", "/v1/decisions", 405, "'/v1/decisions' does not take DELETE; it takes POST"),
}


@pytest.mark.parametrize(("method", "path", "status", "cure"), CURES.values(), ids=CURES)
def test_whatever_is_not_there_is_told_with_the_cure(method: str, path: str, status: int, cure: str, shop: Shop) -> None:
    body = {"status": "kept", "by": "Kim"} if method == "PATCH" else None
    answer = shop.client.request(method, path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert cure in answer.json()["detail"]
    assert status != 405 or answer.headers["allow"] == "POST"


def test_a_fault_of_the_server_says_nothing_of_its_inside(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret")

    app = create_app(Settings(salt="test"), shop.ports)
    with TestClient(app, raise_server_exceptions=False) as client:
        monkeypatch.setattr(shop.log, "identity", broken)
        answer = client.get("/v1/customers/anna")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "send it again" in answer.json()["detail"] and "secret" not in answer.text
