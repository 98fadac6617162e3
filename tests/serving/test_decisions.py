"""POST /v1/decisions and what can be read of a decision afterwards."""

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from decisioning.errors import KairosError
from decisioning.rulebook import Rulebook
from features.log import decisions
from serving.app import create_app
from serving.settings import Settings
from tests import corner
from tests.log.test_golden import golden
from tests.serving.conftest import Shop


def test_a_known_customer_gets_a_rendered_message_with_terms_probability_and_times(shop: Shop) -> None:
    shop.known()
    answer = shop.decide()
    (result,) = answer["results"]
    assert (result["kind"], result["action"], result["treatment"]) == ("action", "bread", "bread@app")
    assert result["message"] == {"title": "Bread, neighbour", "body": "Until January 31.", "cta": ""}
    terms = result["terms"]
    assert result["priority"] == pytest.approx(terms["p"] * terms["c"] * terms["v"] * terms["l"], abs=1e-9)
    assert terms["p"] == pytest.approx(0.15)
    assert "incrementality" in terms["assumed"]
    assert 0 < result["probability"] <= 1
    assert result["send_at"] == answer["at"] == "2018-01-01T14:00:00Z"
    assert answer["logged"] is True


def test_the_same_decision_id_gets_the_same_answer_and_is_logged_once(shop: Shop) -> None:
    shop.known()
    first = shop.decide(decision_id="d-1")
    before = shop.log.last_sequence()
    shop.models.responses["bread"] = 0.0001
    assert shop.decide(decision_id="d-1") == first
    assert shop.log.last_sequence() == before


def test_a_decision_id_of_another_customer_is_a_conflict(shop: Shop) -> None:
    shop.decide("anna", decision_id="d-1")
    answer = shop.client.post("/v1/decisions", json={"customer_id": "bob", "touchpoint": "app", "decision_id": "d-1"})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"


class Outrun:
    """The shop's log, in which another caller's decision lands just before the first one that is appended."""

    def __init__(self, shop: Shop, customer: str, touchpoint: str) -> None:
        self._shop, self._other = shop, (customer, touchpoint)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shop.log, name)

    def append(self, records: Any, **more: Any) -> list[bool]:
        customer, touchpoint = self._other
        self._shop.decide(customer, touchpoint, decision_id=records[0].message_id)
        return self._shop.log.append(records, **more)


def outrun(shop: Shop, customer: str, touchpoint: str) -> Response:
    log = Outrun(shop, customer, touchpoint)
    ask = {"customer_id": "anna", "touchpoint": "app", "decision_id": "d-1"}
    with TestClient(create_app(Settings(salt="test"), replace(shop.ports, log=log))) as client:
        return client.post("/v1/decisions", json=ask)


@pytest.mark.parametrize(("customer", "touchpoint"), [("bob", "app"), ("anna", "phone")])
def test_who_loses_the_race_for_a_decision_id_learns_nothing_of_who_won_it(customer: str, touchpoint: str, shop: Shop) -> None:
    answer = outrun(shop, customer, touchpoint)
    assert (answer.status_code, answer.json()["title"]) == (409, "This decision id is taken")


def test_who_loses_the_race_to_the_same_question_gets_the_answer_that_won_it(shop: Shop) -> None:
    answer = outrun(shop, "anna", "app")
    assert answer.status_code == 200
    assert answer.json() == shop.client.get("/v1/decisions/d-1").json()


def test_a_decision_id_that_filled_other_places_is_taken(shop: Shop) -> None:
    shop.decide(decision_id="d-1", placements=[{"id": "hero", "count": 2}])
    assert len(shop.decide(decision_id="d-1", placements=[{"id": "hero", "count": 2}])["results"]) == 2
    for placements in ([{"id": "hero"}], [{"id": "hero"}, {"id": "footer"}]):
        ask = {"customer_id": "anna", "touchpoint": "app", "decision_id": "d-1", "placements": placements}
        assert shop.client.post("/v1/decisions", json=ask).status_code == 409


class Promoted:
    """The shop's models, of which better ones are promoted between the first question for their name and the answer."""

    def __init__(self, shop: Shop) -> None:
        self._given, self._asked = shop.models, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._given, name)

    @property
    def bundle(self) -> str:
        self._asked += 1
        return "before" if self._asked == 1 else "after"

    def predict(self, profile: Any) -> Any:
        self._given.responses["bread"] = 0.3 if self._asked == 1 else 0.6
        return self._given.predict(profile)


def test_a_decision_names_the_bundle_that_its_predictions_are_of_though_another_is_promoted_meanwhile(shop: Shop) -> None:
    shop.known()
    models = Promoted(shop)
    with TestClient(create_app(Settings(salt="test"), replace(shop.ports, models=models))) as client:
        models._asked = 0
        made = client.post("/v1/decisions", json={"customer_id": "anna", "touchpoint": "app"}).json()
    assert made["bundle"] == "after"
    assert made["results"][0]["terms"]["p"] == pytest.approx(0.3)


def test_an_unknown_customer_gets_the_declared_default_and_the_reason(shop: Shop) -> None:
    answer = shop.decide("nobody")
    (result,) = answer["results"]
    assert answer["reasons"] == ["unknown_customer"]
    assert (result["kind"], result["reason"]) == ("nothing", "unknown_customer")
    assert result["message"]["title"] == "Welcome to Corner"


def test_an_unknown_touchpoint_is_refused_with_the_known_ones(shop: Shop) -> None:
    answer = shop.client.post("/v1/decisions", json={"customer_id": "anna", "touchpoint": "fax"})
    assert answer.status_code == 422
    assert "app, email, phone" in answer.json()["detail"]


NONSENSE = [
    ({}, "customer_id"),
    ({"customer_id": "", "touchpoint": "app"}, "customer_id"),
    ({"customer_id": "a", "touchpoint": "app", "colour": "red"}, "colour"),
    ({"customer_id": "a", "touchpoint": "app", "placements": []}, "placements"),
    ({"customer_id": "a", "touchpoint": "app", "placements": [{"id": "x", "count": 0}]}, "count"),
    ({"customer_id": "a", "touchpoint": "app", "mode": "shadow"}, "mode"),
    ({"customer_id": "a" * 201, "touchpoint": "app"}, "customer_id"),
    ({"customer_id": "a\x00b", "touchpoint": "app"}, "customer_id"),
    ({"customer_id": "a", "touchpoint": "app", "context": {"intent": [1]}}, "context"),
]


@pytest.mark.parametrize(("body", "field"), NONSENSE)
def test_nonsense_is_refused_naming_the_field(shop: Shop, body: object, field: str) -> None:
    answer = shop.client.post("/v1/decisions", json=body)
    assert answer.status_code == 422
    assert any(field in error["field"] for error in answer.json()["errors"])


def test_more_places_than_allowed_are_refused(shop: Shop) -> None:
    placements = [{"id": f"p{at}", "count": 3} for at in range(4)]
    answer = shop.client.post("/v1/decisions", json={"customer_id": "a", "touchpoint": "app", "placements": placements})
    assert (answer.status_code, answer.json()["title"]) == (422, "Too many places")


def test_several_places_show_different_actions(shop: Shop) -> None:
    shop.known()
    answer = shop.decide(placements=[{"id": "hero"}, {"id": "footer"}])
    assert sorted(result["action"] for result in answer["results"]) == ["bread", "points"]
    assert [result["placement"] for result in answer["results"]] == ["hero", "footer"]


def test_simulate_decides_and_writes_nothing(shop: Shop) -> None:
    shop.known()
    before = shop.log.last_sequence()
    answer = shop.decide(mode="simulate", decision_id="s-1")
    assert (answer["logged"], answer["results"][0]["action"]) == (False, "bread")
    assert shop.log.last_sequence() == before


def test_every_button_of_an_explanation_works_as_the_page_says(shop: Shop) -> None:
    shop.known()
    made = shop.decide(placements=[{"id": "hero"}, {"id": "footer"}])["decision_id"]
    sends: dict[str, Any] = {
        "less_like": lambda about: ("PUT", "preferences", {"less_like": made, "action": about}),
        "topic": lambda about: ("PUT", "preferences", {"topics": {about: "more"}}),
        "channel": lambda about: ("PUT", "preferences", {"channels": {about: "less"}}),
        "pace": lambda _: ("PUT", "preferences", {"a_week": 2}),
        "pause": lambda _: ("PUT", "preferences", {"pause_until": "2018-02-01T09:00:00Z"}),
        "contest": lambda about: ("POST", "contests", {"feature": about, "because": "It was not me.", "message_id": about}),
        "withdraw_consent": lambda about: ("PUT", "consents", {about: False}),
    }
    told = shop.client.get(f"/v1/decisions/{made}/why").json()["results"]
    buttons = [button for one in told for button in one["change"]]
    assert {button["press"] for button in buttons} == set(sends)
    for button in buttons:
        verb, path, body = sends[button["press"]](button["about"])
        source = {} if path == "contests" else {"source": "app"}
        answer = shop.client.request(verb, f"/v1/customers/anna/{path}", json=body | source)
        assert answer.status_code == 200, (button, answer.text)
    assert shop.decide()["results"][0]["kind"] == "nothing"


def test_a_decision_can_be_read_again_and_explained_to_staff_and_customer(shop: Shop) -> None:
    shop.known()
    made = shop.decide()
    path = f"/v1/decisions/{made['decision_id']}"
    assert shop.client.get(path).json() == made
    staff = shop.client.get(f"{path}/why", params={"for": "staff"}).json()
    assert staff["funnel"]["candidates"] == 3
    assert staff["ranking"][0]["action"] == "bread"
    customer = shop.client.get(f"{path}/why").json()["results"][0]
    assert {"what": "what you buy", "from": "you and your visits"} in customer["data_used"]
    assert "our own gain" in customer["commercial_weight"]


def test_a_reason_is_what_the_models_would_have_said_without_the_datum(shop: Shop) -> None:
    shop.known()
    shop.models.without = {"bread": ("orders_30d", 0.15)}
    made = shop.decide(explain="customer")
    assert made["results"][0]["action"] == "bread"
    (told,) = made["explanation"]["results"]
    helped = {"direction": "helped", "words": "We looked at how often you shop. That counted for it."}
    assert (told["reasons"], told["left_out"]) == ([helped], None)
    path = f"/v1/decisions/{made['decision_id']}/why"
    assert shop.client.get(path).json() == made["explanation"]
    shop.models.bundle = "another"
    (later,) = shop.client.get(path).json()["results"]
    assert later["reasons"] == []
    assert later["left_out"] == "We can no longer tell how each of these facts moved our choice."
    assert {"press": "contest", "about": "orders_30d"}.items() <= later["change"][5].items()


def test_a_default_that_the_log_did_not_hold_is_explained(broken_log: TestClient) -> None:
    answer = broken_log.post("/v1/decisions", json={"customer_id": "anna", "touchpoint": "app", "explain": "customer"}).json()
    (told,) = answer["explanation"]["results"]
    assert told["why"] == "We could not look after you well just then, so we showed what everyone sees."


def test_a_decision_nobody_made_is_not_found(shop: Shop) -> None:
    for path in ("/v1/decisions/none", "/v1/decisions/none/why"):
        assert shop.client.get(path).status_code == 404


def test_data_without_consent_is_not_used(shop: Shop) -> None:
    shop.known()
    assert shop.decide()["journey_stage"] == "active"
    shop.consent(purpose="personalisation", granted=False)
    answer = shop.decide()
    assert answer["journey_stage"] == "prospect"
    assert {"action": "bread", "tier": "eligibility", "rule": "has_shopped"}.items() <= answer["rejected"][0].items()


def test_a_budget_is_never_promised_once_more_than_it_holds(shop: Shop) -> None:
    for name in ("anna", "bob", "carl", "dora"):
        shop.known(name)
    chosen = [shop.decide(name)["results"][0]["action"] for name in ("anna", "bob", "carl", "dora")]
    assert chosen == ["bread", "bread", "bread", "points"]
    assert any(one["rule"] == "budget" for one in shop.decide("dora")["rejected"])


def test_an_outbound_message_waits_in_the_outbox_for_the_customers_own_hour(shop: Shop) -> None:
    shop.consent()
    for day in range(1, 29):
        shop.order(at=f"2017-12-{day:02d}T22:30:00Z")
    (result,) = shop.decide(touchpoint="email")["results"]
    assert result["send_at"] == "2018-01-01T22:00:00Z"
    assert "17:00 is when this customer usually comes" in result["timing"]
    due = shop.client.get("/v1/outbox", params={"due_before": "2018-01-02T00:00:00Z"}).json()["entries"]
    assert [(one["action"], one["due_at"]) for one in due] == [(result["action"], result["send_at"])]
    assert shop.client.get("/v1/outbox").json()["entries"] == []


def test_where_only_time_forbids_it_the_answer_is_to_wait_until_then(shop: Shop) -> None:
    shop.known()
    shop.decide(touchpoint="email")
    (result,) = shop.decide(touchpoint="email")["results"]
    assert (result["kind"], result["reason"]) == ("wait", "one_email_a_day")
    sent = shop.client.get("/v1/outbox", params={"due_before": "2018-01-05T00:00:00Z"}).json()["entries"][0]["due_at"]
    assert result["wait"]["until"] == sent.replace("2018-01-01", "2018-01-02").replace("2018-01-03", "2018-01-04")


def test_a_missing_model_is_named_and_the_decision_still_comes(shop: Shop) -> None:
    shop.known()
    shop.models.missing, shop.models.responses["bread"] = ("model_missing:preference",), 0.0
    answer = shop.decide()
    assert answer["reasons"] == ["model_missing:preference"]
    assert answer["results"][0]["action"] == "points"


def test_without_its_log_a_touchpoint_gets_its_default_unlogged(broken_log: TestClient) -> None:
    answer = broken_log.post("/v1/decisions", json={"customer_id": "anna", "touchpoint": "app"})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["logged"], told["reasons"]) == (False, ["log_unavailable"])
    assert told["results"][0]["message"]["title"] == "Welcome to Corner"


def test_what_was_logged_decides_the_same_again(shop: Shop) -> None:
    shop.known()
    for touchpoint in ("app", "phone", "email"):
        made = shop.decide(touchpoint=touchpoint)
        record = shop.log.record(made["decision_id"])
        assert record is not None
        again = decisions.replayed(record, shop.ports.rulebook, salt="test")
        assert again == decisions.decision_of(record)
        assert [one.action for one in again.rejected] == [one["action"] for one in made["rejected"]]


def test_what_cannot_be_decided_again_is_answered_as_it_was_but_not_explained(shop: Shop) -> None:
    shop.known()
    made = shop.decide()
    path = f"/v1/decisions/{made['decision_id']}"
    with TestClient(create_app(Settings(salt="another"), shop.ports)) as client:
        read, answer = client.get(path).json(), client.get(f"{path}/why")
        repeated = client.post(
            "/v1/decisions", json={"customer_id": "anna", "touchpoint": "app", "decision_id": made["decision_id"]}
        )
    assert read == made | {"rejected": [], "reasons": ["rejections_unknown"]} == repeated.json()
    assert (answer.status_code, answer.json()["title"]) == (409, "This decision cannot be explained any more")
    assert "another salt" in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_decision_of_a_catalog_that_this_log_does_not_hold_is_not_explained_and_the_reason_is_told(shop: Shop) -> None:
    def unknown(version: str) -> Rulebook:
        raise KairosError(f"version {version} of the catalog is not in this log")

    shop.known()
    made = shop.decide()
    with TestClient(create_app(Settings(salt="test"), replace(shop.ports, rulebook_of=unknown))) as client:
        answer = client.get(f"/v1/decisions/{made['decision_id']}/why")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        f"version {made['catalog']} of the catalog is not in this log",
    )


def test_a_decision_that_an_older_kairos_wrote_is_read_as_it_was_kept(shop: Shop) -> None:
    shop.log.append([golden("decision_live", 2)])
    told = shop.client.get("/v1/decisions/golden-live").json()
    assert [one["action"] for one in told["results"]] == ["coupon_bakery", "coupon_produce", None]
    assert [(one["action"], one["rule"]) for one in told["rejected"]] == [("stale", "no_longer_valid")]
    assert (told["arms"], told["catalog"]) == ({}, "c0ffee")


def test_the_answer_names_the_arm_of_each_experiment(shop: Shop) -> None:
    book = corner.playbook(policy=corner.TEXTS["policy.yaml"] + "experiments:\n  - {experiment: tone, arms: {warm: 1.0}}\n")
    ports = replace(shop.ports, playbook=book, rulebook=book.compiled(), rulebook_of=lambda _: book.compiled())
    with TestClient(create_app(Settings(salt="test"), ports)) as client:
        made = client.post("/v1/decisions", json={"customer_id": "anna", "touchpoint": "app"}).json()
        assert made["arms"] == {"tone": "warm"}
        assert client.get(f"/v1/decisions/{made['decision_id']}").json() == made


def test_an_inbound_place_is_told_where_else_it_can_be_said(shop: Shop) -> None:
    shop.known()
    body = {"source": "app", "channels": {"app": "none"}}
    assert shop.client.put("/v1/customers/anna/preferences", json=body).status_code == 200
    made = shop.decide()
    (result,) = made["results"]
    assert (result["kind"], result["reason"], result["wait"]["touchpoint"]) == ("wait", "better_elsewhere", "email")
    assert shop.client.get(f"/v1/decisions/{made['decision_id']}").json() == made
    assert shop.client.get("/v1/outbox", params={"due_before": "2018-02-01T00:00:00Z"}).json()["entries"] == []
