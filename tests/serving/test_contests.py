"""POST /v1/customers/{id}/contests: what the customer says is wrong is set aside until it is settled."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.serving.conftest import Shop

PATH = "/v1/customers/anna/contests"
CONTEST = {"message_id": "k-1", "feature": "since_order", "because": "I never shopped there."}


def test_a_contested_datum_is_set_aside_until_that_is_settled(shop: Shop) -> None:
    shop.known()
    told = {"customer_id": "anna", "feature": "since_order"}
    assert shop.decide()["journey_stage"] == "active"
    assert shop.post(PATH, CONTEST) == told | {"accepted": True, "contested": True}
    assert set(shop.log.state("anna")[0].contested) == {"since_order"}
    assert shop.decide()["journey_stage"] == "prospect"
    shop.later(minutes=1)
    settled = {**CONTEST, "message_id": "k-2", "settled": True, "because": "It was a mix-up.", "by": "Kim"}
    assert shop.post(PATH, settled) == told | {"accepted": True, "contested": False}
    assert shop.decide()["journey_stage"] == "active"


def test_a_repeated_message_id_counts_once_and_says_one_thing(shop: Shop) -> None:
    shop.post(PATH, CONTEST)
    assert shop.post(PATH, CONTEST)["accepted"] is False
    assert shop.log.last_sequence() == 1
    for other in ({"feature": "points"}, {"settled": True}):
        answer = shop.client.post(PATH, json=CONTEST | other)
        assert (answer.status_code, answer.json()["title"]) == (409, "This message id is taken")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param(
            {"feature": "shoe_size"}, "'shoe_size' is no feature of this brand; known: accepted_180d, day_fri", id="unknown"
        ),
        pytest.param({"feature": "spend_90d_{topic}"}, "is no feature", id="a family"),
        pytest.param({"because": None}, "it does not say what is wrong; give because", id="no reason"),
        pytest.param({"because": ""}, "body.because", id="an empty reason"),
        pytest.param({"settled": "perhaps"}, "body.settled", id="perhaps"),
        pytest.param({"message_id": None}, "body.message_id", id="no id"),
        pytest.param({"value": 7}, "body.value", id="unknown field"),
    ],
)
def test_nonsense_is_refused_with_the_cure(changes: dict[str, Any], says: str, shop: Shop) -> None:
    answer = shop.client.post(PATH, json=CONTEST | changes)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert says in answer.text
    assert shop.log.last_sequence() == 0


def test_without_its_log_contests_are_put_off(broken_log: TestClient) -> None:
    answer = broken_log.post(PATH, json=CONTEST)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
