"""Who is who over HTTP: anonymous visitors, those who sign in, and customers who were two."""

from typing import Any

import pytest

from tests.serving.conftest import Shop


def message(shop: Shop, kind: str, **said: Any) -> Any:
    shop.said += 1
    return shop.post("/v1/events", {"batch": [{"type": kind, "messageId": f"m-{shop.said}", **said}]})


def visits(shop: Shop, visitor: str = "x", event: str = "Complaint Opened", **properties: Any) -> None:
    assert message(shop, "track", anonymousId=visitor, event=event, properties=properties) == {"accepted": 1, "duplicates": 0}


def decide(shop: Shop, **said: Any) -> Any:
    return shop.post("/v1/decisions", {"touchpoint": "app", **said})


def test_a_visitor_is_a_customer_of_their_own(shop: Shop) -> None:
    visits(shop, complaint_id="c-1")
    answer = decide(shop, anonymous_id="x")
    assert (answer["customer_id"], answer["reasons"]) == ("anonymous:x", ["selling_suppressed"])
    assert shop.decide("x")["reasons"] == ["unknown_customer"]  # the id of a customer is another thing


def test_a_visitor_who_signs_in_brings_along_what_was_known_of_them(shop: Shop) -> None:
    shop.known("anna")
    visits(shop, complaint_id="c-1")
    assert message(shop, "identify", userId="anna", anonymousId="x", traits={"first_name": "Anna"})["accepted"] == 1
    for asked in ({"customer_id": "anna"}, {"anonymous_id": "x"}):
        answer = decide(shop, **asked)
        assert (answer["customer_id"], answer["reasons"]) == ("anna", ["selling_suppressed"])
    assert shop.log.verify().fault is None


def test_two_customers_who_are_one_are_decided_for_as_one(shop: Shop) -> None:
    shop.known("anna")
    shop.consent("old-anna", granted=False)
    assert message(shop, "alias", previousId="old-anna", userId="anna") == {"accepted": 1, "duplicates": 0}
    answer = shop.decide("old-anna")
    assert answer["customer_id"] == "anna"
    assert {one["rule"] for one in answer["rejected"] if one["action"] == "bread"} == {"consent_marketing"}


def test_a_decision_under_an_id_that_has_become_anothers_is_answered_again_as_it_was(shop: Shop) -> None:
    first = decide(shop, anonymous_id="x", decision_id="d-1")
    message(shop, "identify", userId="anna", anonymousId="x")
    before = shop.log.last_sequence()
    for asked in ({"anonymous_id": "x"}, {"customer_id": "anna"}):
        assert decide(shop, **asked, decision_id="d-1") == first
    assert first["customer_id"] == "anonymous:x"
    assert shop.log.last_sequence() == before
    other = shop.client.post("/v1/decisions", json={"customer_id": "bob", "touchpoint": "app", "decision_id": "d-1"})
    assert other.status_code == 409


def test_an_outcome_of_a_decision_made_before_a_merge_counts_for_the_customer(shop: Shop) -> None:
    shop.consent("anonymous:x")
    visits(shop, event="Order Completed", total=12.0)
    made = decide(shop, anonymous_id="x")
    assert made["results"][0]["action"] == "bread"
    message(shop, "identify", userId="anna", anonymousId="x")
    shop.post("/v1/outcomes", {"message_id": "o-1", "decision_id": made["decision_id"], "outcome": "rejected"})
    assert [one.action for one in shop.log.state("anna")[0].refusals] == ["bread"]
    assert shop.log.verify().fault is None


def test_the_outbox_names_the_customer(shop: Shop) -> None:
    shop.known("old-anna")
    shop.decide("old-anna", touchpoint="email")
    message(shop, "alias", previousId="old-anna", userId="anna")
    due = shop.client.get("/v1/outbox", params={"due_before": "2018-01-05T00:00:00Z"}).json()["entries"]
    assert [one["customer_id"] for one in due] == ["anna"]


def test_a_decision_replays_though_its_customer_was_two_and_is_another_now(shop: Shop) -> None:
    from features.log.decisions import decision_of, replayed
    from features.log.inputs import inputs_of

    shop.known("old-anna")
    shop.decide("old-anna")
    message(shop, "alias", previousId="old-anna", userId="anna")
    made = shop.decide("anna")
    message(shop, "alias", previousId="anna", userId="new-anna")
    record, rules = shop.log.record(made["decision_id"]), shop.ports.rulebook
    assert record is not None
    inputs = inputs_of(record, rules, salt="test")
    assert (inputs.state.members, inputs.state.group_id) == (("old-anna",), "old-anna")
    assert replayed(record, rules, salt="test") == decision_of(record)


def test_a_message_counts_once_though_it_says_two_things(shop: Shop) -> None:
    both = {"type": "identify", "messageId": "i-1", "userId": "anna", "anonymousId": "x"}
    one = {"type": "page", "messageId": "p-1", "anonymousId": "x"}
    assert shop.post("/v1/events", {"batch": [both, one, both]}) == {"accepted": 2, "duplicates": 1}
    assert shop.post("/v1/events", {"batch": [one, both]}) == {"accepted": 0, "duplicates": 2}


NOBODY = {
    "neither id": ({"type": "page", "messageId": "m"}, "batch.0.userId"),
    "a customer with the prefix of visitors": ({"type": "page", "messageId": "m", "userId": "anonymous:x"}, "batch.0.userId"),
    "a visitor with the prefix": ({"type": "page", "messageId": "m", "anonymousId": "anonymous:x"}, "batch.0.anonymousId"),
    "an alias of nobody": ({"type": "alias", "messageId": "m", "userId": "a"}, "batch.0.previousId"),
    "an alias to nobody": ({"type": "alias", "messageId": "m", "previousId": "a", "anonymousId": "x"}, "batch.0.userId"),
    "an alias of a visitor without a name": (
        {"type": "alias", "messageId": "m", "previousId": "anonymous:", "userId": "a"},
        "body.batch.0.previousId",
    ),
    "an alias of a customer with a very long id": (
        {"type": "alias", "messageId": "m", "previousId": "a" * 201, "userId": "a"},
        "body.batch.0.previousId",
    ),
    "an id that is none": ({"type": "page", "messageId": "m", "anonymousId": ""}, "body.batch.0.anonymousId"),
}


@pytest.mark.parametrize(("said", "field"), NOBODY.values(), ids=NOBODY)
def test_a_message_that_does_not_say_whom_it_is_about_is_refused_naming_the_field(said: Any, field: str, shop: Shop) -> None:
    answer = shop.client.post("/v1/events", json={"batch": [said]})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert shop.log.last_sequence() == 0


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"customer_id": "a", "anonymous_id": "x"},
        {"customer_id": None},
        {"customer_id": "anonymous:x"},
        {"anonymous_id": "anonymous:x"},
        {"anonymous_id": "anonymous:"},
    ],
)
def test_a_decision_is_asked_for_exactly_one_id(asked: Any, shop: Shop) -> None:
    answer = shop.client.post("/v1/decisions", json={"touchpoint": "app", **asked})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["body.customer_id"]


@pytest.mark.parametrize("asked", ["anna", "anonymous:x", "old-anna"])
def test_whoever_is_erased_is_erased_under_every_id(asked: str, shop: Shop) -> None:
    shop.known("anna")
    visits(shop, event="Order Completed", total=12.0)
    shop.order("old-anna")
    message(shop, "identify", userId="anna", anonymousId="x")
    message(shop, "alias", previousId="old-anna", userId="anna")
    receipt = shop.client.delete(f"/v1/customers/{asked}").json()
    assert (receipt["records"], receipt["states"], receipt["links"]) == (7, 1, 2)
    assert receipt["ids"] == ["anna", "anonymous:x", "old-anna"]
    for one in ("anna", "anonymous:x", "old-anna"):
        assert shop.log.state(one)[1] == 0
        assert not shop.ports.profiles.read(one, shop.ports.clock.now()).known
    assert shop.client.delete("/v1/customers/anna").status_code == 404
    assert shop.log.verify().fault is None


def test_a_visitor_with_the_longest_id_can_be_linked_read_and_erased(shop: Shop) -> None:
    longest = "x" * 200
    visits(shop, longest)
    message(shop, "alias", previousId=f"anonymous:{longest}", userId="anna")
    assert shop.client.get(f"/v1/customers/anonymous:{longest}").json()["customer_id"] == "anna"
    assert shop.client.delete(f"/v1/customers/anonymous:{longest}").json()["ids"] == ["anna", f"anonymous:{longest}"]


@pytest.mark.parametrize("nobody", ["anonymous:", "x" * 201, "anonymous:" + "x" * 201])
def test_an_id_that_nobody_can_have_is_neither_read_nor_erased(nobody: str, shop: Shop) -> None:
    for answer in (shop.client.get(f"/v1/customers/{nobody}"), shop.client.delete(f"/v1/customers/{nobody}")):
        assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, ["path.customer_id"])


TAKING = {
    "an event": (
        "/v1/events",
        {"batch": [{"type": "page", "messageId": "i-1:identity", "userId": "anna"}]},
        "batch.0.messageId",
    ),
    "a decision": (
        "/v1/decisions",
        {"customer_id": "anna", "touchpoint": "app", "decision_id": "i-1:identity"},
        "body.decision_id",
    ),
    "an outcome": ("/v1/outcomes", {"message_id": "i-1:identity", "decision_id": "d", "outcome": "shown"}, "body.message_id"),
}


@pytest.mark.parametrize(("path", "body", "field"), TAKING.values(), ids=TAKING)
def test_no_message_can_take_the_id_that_a_link_gets(path: str, body: Any, field: str, shop: Shop) -> None:
    answer = shop.client.post(path, json=body)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert "let it end otherwise" in error["cause"]
    message(shop, "identify", userId="anna", anonymousId="x")
    assert shop.log.customer("anna").members == ("anna", "anonymous:x")
