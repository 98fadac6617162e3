"""The API's page: each example on it is taken as it stands, and each route tells what it may refuse."""

from typing import Any

import pytest

from serving import said_schemas
from serving.schemas import Wire
from tests.serving.conftest import Shop

ASKS = [one for name, one in vars(said_schemas).items() if name.endswith("In")]
PATHS = {
    "/v1/outcomes": "post",
    "/v1/promises": "post",
    "/v1/promises/{promise_id}": "patch",
    "/v1/notes": "post",
    "/v1/customers/{customer_id}/preferences": "put",
    "/v1/customers/{customer_id}/consents": "put",
    "/v1/customers/{customer_id}/contests": "post",
}


@pytest.mark.parametrize("ask", ASKS, ids=lambda ask: ask.__name__)
def test_every_example_is_taken_as_it_stands(ask: type[Wire]) -> None:
    examples: Any = ask.model_config["json_schema_extra"]
    assert examples["examples"]
    for example in examples["examples"]:
        ask.model_validate(example)


@pytest.mark.parametrize("path", PATHS)
def test_every_route_tells_what_it_may_refuse(path: str, shop: Shop) -> None:
    page = shop.client.get("/openapi.json").json()
    route = page["paths"][path][PATHS[path]]
    assert {"200", "409", "422"} <= set(route["responses"])
    assert route["summary"] and route["requestBody"]["content"]["application/json"]["schema"]


def test_the_page_says_that_a_consent_is_a_purpose_with_true_or_false(shop: Shop) -> None:
    consents = shop.client.get("/openapi.json").json()["components"]["schemas"]["ConsentsIn"]
    assert consents["additionalProperties"] == {"type": "boolean"}
