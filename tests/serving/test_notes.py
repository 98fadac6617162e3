"""POST /v1/notes: what a colleague wrote down is in the log, once."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.serving.conftest import Shop

NOTE = {"message_id": "n-1", "customer_id": "anna", "by": "Kim", "text": "Call in the evening."}


def test_a_note_is_kept_once_with_its_owner(shop: Shop) -> None:
    asked = NOTE | {"owner": "Lee", "due": "2018-01-05T17:00:00Z"}
    assert shop.post("/v1/notes", asked) == {"note_id": "n-1", "accepted": True}
    assert shop.post("/v1/notes", asked) == {"note_id": "n-1", "accepted": False}
    record = shop.log.record("n-1")
    assert record is not None
    kept = {name: value for name, value in asked.items() if name != "message_id"}
    assert (record.kind, record.customer_id, record.body) == ("note", "anna", kept)


def test_what_the_customer_said_is_felt_and_what_a_colleague_wrote_of_it_is_not(shop: Shop) -> None:
    shop.post("/v1/notes", NOTE | {"text": "An awful, horrible call, I hate those."})
    assert shop.log.state("anna")[0].emotion is None
    shop.post("/v1/notes", NOTE | {"message_id": "n-2", "customer_said": "This is terrible, I am very angry!"})
    felt = shop.log.state("anna")[0].emotion
    assert felt is not None and felt.valence < -0.5 and felt.confidence > 0.5


def test_a_note_cannot_say_what_was_felt(shop: Shop) -> None:
    felt = {"valence": 1, "intensity": 1, "confidence": 1, "by": "me", "of": "customer_said"}
    assert shop.client.post("/v1/notes", json=NOTE | {"felt": felt}).status_code == 422


def test_a_message_id_that_says_something_else_is_refused(shop: Shop) -> None:
    shop.event("Order Completed")
    shop.post("/v1/notes", NOTE)
    for taken in ({"message_id": "m-1"}, {"customer_id": "ben"}, {"text": "Never call."}, {"customer_said": "Call me."}):
        assert shop.client.post("/v1/notes", json=NOTE | taken).status_code == 409


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"text": ""}, "body.text", id="empty"),
        pytest.param({"text": "x" * 4_001}, "body.text", id="a book"),
        pytest.param({"by": None}, "body.by", id="by nobody"),
        pytest.param({"due": "2099-01-01T00:00:00Z"}, "absurd", id="due in 80 years"),
        pytest.param({"due": "tomorrow"}, "body.due", id="no time"),
        pytest.param({"customer_id": "a\nb"}, "body.customer_id", id="a line break"),
        pytest.param({"about": "x"}, "body.about", id="unknown field"),
    ],
)
def test_nonsense_is_refused_with_the_cure(changes: dict[str, Any], says: str, shop: Shop) -> None:
    answer = shop.client.post("/v1/notes", json=NOTE | changes)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert says in answer.text
    assert shop.log.last_sequence() == 0


def test_without_its_log_notes_are_put_off(broken_log: TestClient) -> None:
    answer = broken_log.post("/v1/notes", json=NOTE)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
