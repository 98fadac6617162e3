"""GET /v1/customers/{id}: all that is known of one customer, with where it came from."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import kairos
from decisioning.customer import Contest, Emotion, Episode, Exchange, Profile, Refusal
from decisioning.promises import Promise
from features import offline
from features.log import identity_record
from features.log.forms import recorded
from features.workspace import Workspace
from serving.app import create_app
from serving.clock import HeldClock
from serving.plain_words import exchanged, sentences
from serving.ports import ProfilesUnavailable
from serving.settings import Settings
from tests import corner, worlds
from tests.log.writing import DAY, event
from tests.serving.conftest import Shop
from tests.worlds import NOW


def page(shop: Shop, customer: str = "anna") -> Any:
    answer = shop.client.get(f"/v1/customers/{customer}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def values(of: Any) -> dict[str, Any]:
    return {value["feature"]: value for value in of["values"]}


def test_every_value_says_what_it_is_of_which_record_how_old_and_for_which_purpose(shop: Shop) -> None:
    shop.known()
    shop.order(at="2017-12-30T14:00:00Z")
    shop.order(at="2017-12-22T14:00:00Z", category="PRODUCE")
    told = page(shop)
    points = values(told)["points"]
    assert points | {"known": None} == {
        "feature": "points",
        "says": "",
        "value": 36.0,
        "unit": "points",
        "view": "orders",
        "source": "first_party",
        "made": "sum of total of event:Order Completed",
        "purpose": "personalisation",
        "used": True,
        "contested": None,
        "owner": "data@corner.example",
        "licence": "",
        "expires": None,
        "happened": "2017-12-30T14:00:00Z",
        "known": None,
        "age_days": 2.0,
        "records": 3,
        "message_id": "m-3",
        "files": [],
    }
    assert points["known"] == told["at"]
    # not the newest record of the view: the newest that made the value
    assert values(told)["spend_90d_produce"]["message_id"] == "m-4"
    assert values(told)["hour_00"]["value"] == 0.0 and values(told)["hour_00"]["message_id"] is None
    assert "accepted_180d" not in values(told)
    assert (told["records"], told["known_since"]) == (4, told["at"])


def test_what_the_customer_does_not_agree_to_is_shown_and_marked_as_not_used(shop: Shop) -> None:
    shop.known()
    shop.consent(purpose="personalisation", granted=False)
    told = page(shop)
    assert {value["used"] for value in told["values"]} == {False}
    assert told["consents"] == {
        "marketing": {"granted": True, "said": True, "at": told["at"], "says": "offers"},
        "service": {"granted": True, "said": False, "at": None, "says": "service"},
        "personalisation": {"granted": False, "said": True, "at": told["at"], "says": "your purchases"},
    }


def test_any_id_of_a_customer_gives_the_same_page_which_says_why_they_are_one(shop: Shop) -> None:
    shop.known()
    now = shop.ports.clock.now()
    link = identity_record("identify", source="anonymous:a", target="anna", message_id="i", event_time=now, known_time=now)
    shop.log.append([link])
    told = page(shop)
    assert page(shop, "anonymous:a") == told
    assert (told["customer_id"], told["members"]) == ("anna", ["anna", "anonymous:a"])
    assert [(one["source"], one["target"], one["type"], one["set_aside"]) for one in told["links"]] == [
        ("anonymous:a", "anna", "identify", None)
    ]


def test_the_state_is_told_in_plain_words(shop: Shop) -> None:
    shop.known()
    shop.event("Complaint Opened", complaint_id="c-7")
    now = shop.ports.clock.now()
    promise = {"customer_id": "anna", "promise_id": "p", "by": "Kim", "what": "We call you.", "due": now + DAY}
    wish = {"customer_id": "anna", "source": "app", "topics": {"fuel": "none"}, "a_week": 2, "pause_until": now + 14 * DAY}
    shop.log.append([recorded("promise", promise, message_id="p1", at=None, now=now)])
    shop.log.append([recorded("preference", wish, message_id="p2", at=None, now=now)])
    assert page(shop)["state"] == [
        "Complaint c-7 is open since 2018-01-01: nothing is sold until it is closed.",
        "Last told on 2018-01-01 that they felt badly (intensity 0.9 of 1).",
        "Asked on 2018-01-01 for at most 2 messages a week.",
        "Asked on 2018-01-01 for a pause until 2018-01-15.",
        "Asked on 2018-01-01 for none of the topic fuel.",
        "Promised by Kim on 2018-01-01, due 2018-01-02: We call you. It is open.",
    ]


def test_of_a_state_with_nothing_to_say_nothing_is_said() -> None:
    assert list(sentences(worlds.state(), NOW)) == []
    told = list(
        sentences(worlds.state(closed_channels=("email",), contacts=(worlds.contact(),), traits={"first_name": "Ada"}), NOW)
    )
    assert told == [
        "The channel email is closed: they unsubscribed.",
        "1 messages count towards their limits, 1 of them seen and 0 answered; the last one, coupon by app, of 2017-12-31.",
        "Told us: first_name Ada.",
    ]


PROMISE = {"made_at": NOW - 2 * DAY, "due": NOW - DAY, "by": "Kim", "what": "We call you."}
TOLD: dict[str, tuple[dict[str, Any], str]] = {
    "in hardship": ({"hardship": Episode(opened_at=NOW)}, "In hardship since 2018-01-01: nothing is sold until that is over."),
    "felt badly before": (
        {"unhealed": (Emotion(valence=-0.9, intensity=0.9, confidence=1.0, at=NOW - DAY),)},
        "Told on 2017-12-31 that they felt badly (intensity 0.9 of 1).",
    ),
    "put off": ({"postponed": (Refusal(action="bread", group="offers", at=NOW),)}, "Put bread off on 2018-01-01."),
    "contested": (
        {"contested": {"points": Contest(at=NOW)}},
        "Says since 2018-01-01 that points is wrong: it is not used until that is settled.",
    ),
    "overdue": ({}, "It is overdue, and so counts as broken."),
    "broken": ({"status": "broken", "ended_at": NOW - DAY}, "It is broken on 2017-12-31."),
    "made good": (
        {"status": "broken", "ended_at": NOW - DAY, "taken_at": NOW, "made_good_at": NOW},
        "It is broken on 2017-12-31, and made good on 2018-01-01.",
    ),
    "kept late": ({"status": "kept", "ended_at": NOW}, "It is kept on 2018-01-01, too late."),
    "kept": ({"status": "kept", "ended_at": NOW - DAY}, "It is kept on 2017-12-31."),
}


@pytest.mark.parametrize(("says", "sentence"), TOLD.values(), ids=TOLD)
def test_each_thing_that_bears_on_the_next_decision_has_its_sentence(says: dict[str, Any], sentence: str) -> None:
    of_state = any(name in ("hardship", "postponed", "contested", "unhealed") for name in says)
    state = worlds.state(**says if of_state else {"promises": {"p": Promise(**PROMISE | says)}})
    (told,) = sentences(state, NOW)
    assert told.endswith(sentence)


def test_what_is_over_or_counts_under_no_limit_has_no_sentence() -> None:
    state = worlds.state(
        hardship=Episode(opened_at=NOW, closed_at=NOW),
        contested={"points": Contest(at=NOW, settled=True)},
        contacts=(replace(worlds.contact(), mandatory=True),),
    )
    assert list(sentences(state, NOW)) == []


@pytest.mark.parametrize(
    ("exchange", "says"),
    [
        (Exchange(), "Gave nothing; got nothing."),
        (Exchange(given={"rating": 1}, received=1, worth=2.5), "Gave 1 rating; got 1 offer, worth 2.50 USD to them."),
        (
            Exchange(given={"rating": 2, "consent": 1, "referral": 1}, received=3, worth=7.0),
            "Gave 1 consent, 2 ratings and 1 referral; got 3 offers, worth 7.00 USD to them.",
        ),
        (Exchange(given={"rating": 2, "consent": 1}), "Gave 1 consent and 2 ratings; got nothing."),
    ],
)
def test_the_exchange_in_one_sentence(exchange: Exchange, says: str) -> None:
    assert exchanged(exchange, "USD") == says


def test_the_page_says_what_the_customer_gave_and_what_they_got(shop: Shop) -> None:
    shop.known()
    shop.event("Satisfaction Rated", rating=5)
    made = shop.decide()
    taken = {"message_id": "o-1", "decision_id": made["decision_id"], "outcome": "accepted"}
    assert page(shop)["exchange"] | {"says": ""} == {"gave": {"consent": 1, "rating": 1}, "got": 0, "worth": 0.0, "says": ""}
    for _ in range(2):
        shop.post("/v1/outcomes", taken)
    shop.post("/v1/outcomes", taken | {"message_id": "o-2", "outcome": "clicked"})
    assert made["results"][0]["action"] == "bread"
    assert page(shop)["exchange"] == {
        "gave": {"consent": 1, "rating": 1},
        "got": 1,
        "worth": 1.5,
        "says": "Gave 1 consent and 1 rating; got 1 offer, worth 1.50 USD to them.",
    }


def test_the_page_shows_what_colleagues_wrote_down(shop: Shop) -> None:
    shop.known()
    note = {"customer_id": "anna", "by": "Kim", "text": "Call in the evening.", "owner": "Lee", "due": "2018-01-05T17:00:00Z"}
    shop.post("/v1/notes", note | {"message_id": "n-1"})
    shop.post("/v1/notes", {"message_id": "n-2", "customer_id": "anna", "by": "Lee", "text": "Called."})
    shop.post("/v1/notes", {"message_id": "n-3", "customer_id": "ben", "by": "Lee", "text": "Of somebody else."})
    told = page(shop)
    first, second = told["notes"]
    assert first == {"note_id": "n-1", "at": told["at"]} | {name: note[name] for name in note if name != "customer_id"}
    assert (second["text"], second["owner"], second["due"]) == ("Called.", None, None)


def test_a_contested_value_is_shown_and_marked_as_not_used(shop: Shop) -> None:
    shop.known()
    now = shop.ports.clock.now()
    contest = {"customer_id": "anna", "feature": "points", "by": "customer", "because": "That was my neighbour."}
    shop.log.append([recorded("contest", contest, message_id="c1", at=None, now=now)])
    told = page(shop)
    points = values(told)["points"]
    assert (points["value"], points["used"], points["contested"]) == (12.0, False, told["at"])
    assert values(told)["orders_30d"]["used"] and values(told)["orders_30d"]["contested"] is None
    shop.log.append([recorded("contest", contest | {"settled": True}, message_id="c2", at=now + DAY / 10_000, now=now)])
    points = values(page(shop))["points"]
    assert (points["used"], points["contested"]) == (True, None)


def test_nobody_has_heard_of_a_stranger_nor_of_one_who_was_erased(shop: Shop) -> None:
    answer = shop.client.get("/v1/customers/stranger")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    shop.known()
    assert shop.client.delete("/v1/customers/anna").status_code == 200
    assert shop.client.get("/v1/customers/anna").status_code == 404


def test_without_the_online_profiles_the_page_says_so_and_tells_the_rest(shop: Shop) -> None:
    class Away:
        def __getattr__(self, name: str) -> Any:
            return getattr(shop.ports.profiles, name)

        def read(self, customer_id: str, now: Any) -> Profile:
            raise ProfilesUnavailable("gone")

    shop.known()
    with TestClient(create_app(Settings(salt="test"), replace(shop.ports, profiles=Away()))) as client:  # type: ignore[arg-type]
        told = client.get("/v1/customers/anna").json()
    assert told["values"] == [] and told["untold"] == ["The online profiles cannot be read now: no values are shown."]
    assert told["records"] == 2


def test_without_the_log_there_is_no_page(broken_log: TestClient) -> None:
    assert broken_log.get("/v1/customers/anna").status_code == 503


BOUGHT = """
  households:
    source: third_party
    purpose: service
    owner: partners
    licence: bureau 7
    expires: 2019-01-01
    file: households.csv
    key: household
    known_at: 2017-12-01
    files: [{file: more.csv, known_at: 2017-12-20}]
    features:
      members: {column: size, unit: people, says: who lives with you}
"""


def test_a_third_partys_value_names_its_licence_its_files_and_what_the_store_cannot_know(tmp_path: Path) -> None:
    profile = corner.TEXTS["profile.yaml"] + BOUGHT.lstrip("\n")
    folder = corner.write_workspace(tmp_path / "brand", profile=profile)
    (folder / "households.csv").write_text("household,size\nanna,3\nonly-bought,2\n")
    (folder / "more.csv").write_text("household,size\nanna,4\n")
    workspace = Workspace.load(folder)
    workspace.data.mkdir()
    log = corner.open_log(workspace.data, workspace.playbook)
    log.append([event("Page Viewed", customer="anna")])
    offline.build(workspace, log)
    offline.materialize(workspace, log)
    with TestClient(kairos.application(workspace, log, HeldClock(NOW))) as client:
        told = client.get("/v1/customers/anna").json()
        bought_only = client.get("/v1/customers/only-bought").json()
    members = values(told)["members"]
    assert (members["value"], members["licence"], members["expires"]) == (4.0, "bureau 7", "2019-01-01")
    assert (members["happened"], members["known"]) == ("2017-12-20T05:00:00Z", "2017-12-20T05:00:00Z")
    assert (members["files"], members["records"]) == (["households.csv", "more.csv"], 0)
    assert told["untold"] == ["Of several files the online store does not keep which one said a value: the build's tables do."]
    assert (bought_only["known_since"], values(bought_only)["members"]["value"]) == (None, 2.0)
    log.close()
