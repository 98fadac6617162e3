"""DELETE /v1/customers/{id}: gone everywhere, and free to start afresh."""

from tests.serving.conftest import Shop


def test_an_erased_customer_is_gone_and_the_receipt_says_what_was_there(shop: Shop) -> None:
    shop.known()
    made = shop.decide()
    receipt = shop.client.delete("/v1/customers/anna").json()
    assert (receipt["records"], receipt["states"], receipt["offers"], receipt["offline_rows"]) == (3, 1, 1, 0)
    assert receipt["online_rows"] >= 1
    assert receipt["sequence"] == shop.log.last_sequence()
    assert len(receipt["remains"]) == 2
    assert shop.log.state("anna")[1] == 0
    assert not shop.ports.profiles.read("anna", shop.ports.clock.now()).present.any()
    assert shop.client.get(f"/v1/decisions/{made['decision_id']}").status_code == 404
    assert shop.log.verify().whole


def test_another_customer_is_left_as_they_were(shop: Shop) -> None:
    shop.known("anna")
    shop.known("ben")
    before = shop.ports.profiles.read("ben", shop.ports.clock.now())
    shop.client.delete("/v1/customers/anna")
    after = shop.ports.profiles.read("ben", shop.ports.clock.now())
    assert (after.values[after.present] == before.values[before.present]).all() and after.present.any()
    assert shop.log.state("ben")[0].known


def test_an_erased_customer_may_start_afresh(shop: Shop) -> None:
    shop.known()
    shop.client.delete("/v1/customers/anna")
    shop.order()
    assert shop.log.state("anna")[0].known
    assert shop.log.state("anna")[0].consents == {}
    profile = shop.ports.profiles.read("anna", shop.ports.clock.now())
    assert profile.present.any()
    assert shop.log.verify().whole


def test_who_is_not_there_cannot_be_erased(shop: Shop) -> None:
    answer = shop.client.delete("/v1/customers/nobody")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    shop.known()
    assert shop.client.delete("/v1/customers/anna").status_code == 200
    assert shop.client.delete("/v1/customers/anna").status_code == 404


def test_an_erased_decision_id_stays_taken(shop: Shop) -> None:
    shop.known()
    made = shop.decide(decision_id="d-1")
    shop.client.delete("/v1/customers/anna")
    again = shop.client.post("/v1/decisions", json={"customer_id": "anna", "touchpoint": "app", "decision_id": "d-1"})
    assert (made["decision_id"], again.status_code) == ("d-1", 409)
