"""What every version wrote stays readable: a file for each form of each kind of record, kept for ever.

A change that breaks one of these tests needs a new record version and a new folder of files, never an edit of these.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from decisioning.catalog import Catalog
from decisioning.chance import WHOLE
from decisioning.customer import Episode, Exchange
from decisioning.domain import Evidence, Ledger, Placement
from decisioning.learning import beliefs_of
from decisioning.policy import Cap, Contact
from decisioning.rulebook import compile_rules
from features.join import Customer
from features.log import Log, Record, StateRules
from features.log.decisions import decide_from, decision_of, to_record, versions_of
from features.log.inputs import Inputs, ReplayFault, inputs_of
from features.log.offers import evidence, outbox
from features.log.records import VERSION, Kind
from tests import worlds
from tests.log.writing import linked
from tests.worlds import NOW

FILES = sorted((Path(__file__).parent / "golden").glob("v*/*.json"))
CATALOG: Catalog = worlds.catalog(
    worlds.action("coupon_bakery", topics=("bakery",), value=9.0),
    worlds.action("coupon_produce", topics=("produce",), value=8.0),
    worlds.action("stale", valid_until=NOW),
)
RULES = compile_rules(CATALOG, worlds.policy(), worlds.index())


def live() -> Record:
    """What is written today for the decision of the golden file decision_live."""
    inputs: Inputs = worlds.inputs(
        CATALOG,
        state=worlds.state(traits={"first_name": "Ada"}, contacts=(worlds.contact(),)),
        predictions=worlds.predictions(CATALOG, {"coupon_bakery": 0.25}, reads={"coupon_bakery": ("spend_90d_bakery",)}),
        learner=worlds.learner(coupon_bakery=Evidence(shows=3, expected=0.5, successes=1), snapshot=41),
        stock={"coupon_bakery": 2},
        ledger={"coupon_bakery": Ledger(ended=4, kept=3)},
        bundle="b0b",
        degraded=("model_missing:churn",),
    )
    request = worlds.request(
        decision_id="golden-live",
        placements=(Placement(id="hero", count=2), Placement(id="footer")),
        context={"intent": "browse"},
    )
    return to_record(decide_from(request, inputs, RULES, at=NOW), inputs, RULES, known_time=NOW)


def waiting() -> Record:
    """What is written today for the decision of the golden file decision_wait."""
    policy = worlds.policy(contact=Contact(caps=(Cap(rule="one_a_week", most=1, within=timedelta(days=7)),)))
    state = worlds.state(contacts=(worlds.contact(NOW - timedelta(days=6)),))
    inputs: Inputs = worlds.inputs(CATALOG, state=state, population={"hour_18": 0.5})
    request = worlds.request(decision_id="golden-wait", touchpoint="email")
    rules = compile_rules(CATALOG, policy, worlds.index())
    return to_record(decide_from(request, inputs, rules, at=NOW), inputs, rules, known_time=NOW)


def golden(name: str, version: int = 1) -> Record:
    (path,) = (one for one in FILES if (one.parent.name, one.stem) == (f"v{version}", name))
    return read(path)


def read(path: Path) -> Record:
    kept = json.loads(path.read_text(encoding="utf-8"))
    times = {name: datetime.fromisoformat(kept.pop(name)) for name in ("event_time", "known_time")}
    return Record(**kept | times | {"payload": json.dumps(kept["payload"]).encode()})


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_form_ever_written_goes_through_the_log_unchanged(path: Path, log: Log) -> None:
    record = read(path)
    assert path.parent.name == f"v{record.version}"
    assert log.append([record]) == [True]
    assert list(log.read()) == [replace(record, sequence=1)]


def test_every_kind_has_a_file_in_the_version_that_is_written_now() -> None:
    assert {read(path).kind for path in FILES if path.parent.name == f"v{VERSION}"} == set(get_args(Kind))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_history_of_golden_records_gives_the_state_it_always_gave(version: int, log: Log) -> None:
    names = ("consent", "event_order", "event_identify", "decision_imported", "decision_live", "event_complaint", "outcome")
    log.append([golden(name, version) for name in (*names, "event_rating")])
    state, _ = log.state("1029")
    assert state.consents == {"marketing": True}
    assert (state.locale, state.time_zone, state.traits["first_name"]) == ("en-GB", "America/Chicago", "Ada")
    assert state.open_complaints == ("c-7",)
    assert state.emotion is not None and state.emotion.valence == -0.8
    assert [(one.decision_id, one.action, one.channel, one.confirmed) for one in state.contacts] == [
        ("cj-13-1029", "campaign_13:bakery", "mailer", True),
        ("golden-live", "coupon_bakery", "app", True),
        ("golden-live", "coupon_produce", "app", False),
    ]
    assert log.query(evidence).evidence == {("coupon_bakery", "app_home"): Evidence(shows=1, expected=0.25, successes=1)}


@pytest.mark.parametrize("version", [2, 3])
def test_a_golden_success_and_a_golden_hardship_give_the_state_they_always_gave(version: int, log: Log) -> None:
    log.append([golden(name, version) for name in ("decision_live", "outcome_success", "outcome_referred", "event_hardship")])
    state, _ = log.state("1029")
    assert [(one.action, one.confirmed, one.answered) for one in state.contacts] == [
        ("coupon_bakery", True, True),
        ("coupon_produce", False, False),
    ]
    assert state.exchange == Exchange(given={"referral": 1}, received=1, worth=2.5)
    assert state.hardship == Episode(opened_at=NOW)


def test_what_was_felt_in_golden_words_gives_the_state_it_always_gave(log: Log) -> None:
    log.follow(StateRules(words={"Comment Left": "comment"}))
    log.append([golden("event_felt", 3), golden("note_customer_said", 3)])
    state, _ = log.state("1029")
    assert state.emotion is not None and (state.emotion.valence, state.emotion.confidence) == (0.9245, 0.8)
    assert [(one.valence, one.confidence) for one in state.unhealed] == [(-0.8122, 0.8)]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_live_decision_of_any_version_is_read_whole(version: int) -> None:
    record = golden("decision_live", version)
    decision = decision_of(record)
    assert (decision.request.decision_id, decision.at, decision.group) == ("golden-live", NOW, "treatment")
    assert decision.request.context == {"intent": "browse"}
    assert [(one.placement, one.kind, one.action) for one in decision.results] == [
        ("hero", "action", "coupon_bakery"),
        ("hero", "action", "coupon_produce"),
        ("footer", "nothing", None),
    ]
    first = decision.results[0]
    assert first.terms is not None
    assert first.terms.p == pytest.approx(0.15)
    assert (first.terms.c, first.terms.v, first.terms.l) == (1.0, 9.0, 1.0)
    assert first.terms.assumed == ("incrementality", "response")
    assert first.send_at == NOW and first.expires_at == NOW + timedelta(days=7)
    assert decision.reasons == ("model_missing:churn",)
    assert versions_of(record) == ("c0ffee", "b0b")


@pytest.mark.parametrize("version", [1, 2])
def test_a_decision_of_before_tells_what_it_kept_of_its_making_and_is_not_made_again(version: int) -> None:
    record = golden("decision_live", version)
    decision = decision_of(record)
    assert sum(one.units for one in decision.candidates) + decision.nothing_units == WHOLE
    assert [(one.action, one.tier, one.rule) for one in decision.rejected] == [("stale", "eligibility", "no_longer_valid")]
    with pytest.raises(ReplayFault, match="could not be decided again by this one"):
        inputs_of(record, RULES, salt=worlds.SALT)


def test_a_decision_of_version_3_holds_what_it_was_made_from() -> None:
    record = golden("decision_live", 3)
    assert sum(record.body["units"]) == WHOLE
    inputs = inputs_of(record, RULES, salt=worlds.SALT)
    assert list(inputs.profile.values[:5]) == [3.0, 12.5, 4.0, 1234.0, 2.0]
    assert (len(inputs.profile.values), int(inputs.profile.present.sum())) == (37, 5)
    assert inputs.state.traits == {"first_name": "Ada"}
    np.testing.assert_array_equal(inputs.predictions.response.astype(np.float32), np.float32([0.25, 0.2, 0.2]))
    believed = beliefs_of(inputs.learner, RULES.plans["app_home"], RULES.policy.exploration.strength)
    assert (believed.shape.tolist(), believed.rate.tolist()) == (
        [3.0, 2.40625, 2.40625],
        [2.5, 2.0052082538604736, 2.0052082538604736],
    )
    assert (inputs.learner.snapshot, inputs.stock, inputs.tzdata) == (41, {"coupon_bakery": 2}, "2026.6")
    assert inputs.ledger == {"coupon_bakery": Ledger(ended=4, kept=3)}


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_wait_of_any_version_lies_in_the_outbox(version: int, log: Log) -> None:
    log.append([golden("decision_wait", version)])
    (entry,) = log.query(lambda connection: outbox(connection, due_before=NOW + timedelta(days=2), now=NOW))
    assert (entry.decision_id, entry.kind, entry.action, entry.due_at) == ("golden-wait", "wait", None, NOW + timedelta(days=1))


@pytest.mark.parametrize(("name", "today"), [("decision_live", live), ("decision_wait", waiting)])
def test_what_is_written_today_has_the_form_of_the_version_that_is_written(name: str, today: Any) -> None:
    """Names and types; the numbers in it may change with the code that decides."""
    assert set(_form(today().body)) == set(_form(golden(name, VERSION).body))


@pytest.mark.parametrize("version", [2, 3])
def test_golden_identities_make_one_customer_of_their_ids(version: int, log: Log) -> None:
    log.append([golden("identity_identify", version), golden("identity_alias", version)])
    assert log.customer("loyalty-77") == Customer(name="1029", members=("1029", "anonymous:8f1c2a", "loyalty-77"))
    assert [(one.message_id, one.type) for one in log.identity("1029").told] == [("m-9", "identify"), ("m-10", "alias")]
    assert log.verify().whole


@pytest.mark.parametrize(("name", "members"), [("erasure", ["1029"]), ("erasure_of_several_ids", ["1029", "anonymous:x"])])
def test_an_erasure_is_written_in_the_form_of_its_golden_file(name: str, members: list[str], log: Log) -> None:
    """A form may gain names; the first lacks those of several ids."""
    log.append(
        [linked(one, "1029") for one in members[1:]]
        + [worlds.record("event", f"m-{one}", b"{}", customer_id=one) for one in members]
    )
    log.erase("1029", at=NOW)
    today = log.latest("erasure")
    assert today is not None
    assert set(_form(golden(name, VERSION).body)) <= set(_form(today.body))


def _form(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for name, part in value.items():
                yield from _form(part, f"{path}.{name}")
        case list():
            for part in value:
                yield from _form(part, f"{path}[]")
        case bool() | None | str():
            yield path, type(value).__name__
        case _:
            yield path, "number"
