"""The fold: what each kind of record does to a customer's state."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.customer import Emotion, Episode, Refusal, State
from decisioning.domain import OutcomeKind
from decisioning.episodes import is_open
from decisioning.policy import CONTACT_MEMORY
from decisioning.promises import Promise
from features.log import Record
from features.log.state import fold
from features.log.written import decode, encode
from tests import worlds
from tests.log.writing import DAY, RULES, decision, event, offer, outcome
from tests.worlds import NOW

STRANGER = State(customer_id="1029")


def after(*records: Record, state: State = STRANGER) -> State:
    for record in records:
        state = fold(state, record, RULES)
    return state


# ---------------------------------------------------------------------------------------------------- who the customer is


@pytest.mark.parametrize(
    "record",
    [
        event("Order Completed", total=9.0),
        worlds.record("consent", "c", b'{"purpose":"marketing","granted":true}'),
        outcome("shown"),
        decision(offer(), origin="imported"),
    ],
    ids=["event", "consent", "outcome", "imported decision"],
)
def test_a_record_of_a_customer_makes_them_known(record: Record) -> None:
    assert after(record).known


def test_to_have_asked_what_to_show_a_stranger_does_not_make_them_known() -> None:
    nothing = {"kind": "nothing", "placement": "main", "send_at": None, "expires_at": None}
    assert after(decision(nothing)) == STRANGER


def test_an_identify_event_tells_traits_locale_and_time_zone() -> None:
    body = {"type": "identify", "traits": {"first_name": "Ada", "locale": "fr-FR", "time_zone": "Europe/Paris", "age": None}}
    state = after(worlds.record("event", "m1", json.dumps(body).encode()))
    assert state.traits == {"first_name": "Ada", "locale": "fr-FR", "time_zone": "Europe/Paris"}
    assert (state.locale, state.time_zone) == ("fr-FR", "Europe/Paris")
    more = after(worlds.record("event", "m2", b'{"type":"identify","traits":{"first_name":"Grace"}}'), state=state)
    assert (more.traits["first_name"], more.time_zone) == ("Grace", "Europe/Paris")


def test_a_consent_holds_until_the_next_word_on_its_purpose() -> None:
    records = [
        worlds.record("consent", f"c{at}", json.dumps({"purpose": purpose, "granted": granted}).encode())
        for at, (purpose, granted) in enumerate([("marketing", True), ("service", True), ("marketing", False)])
    ]
    assert after(*records).consents == {"marketing": False, "service": True}


def consent(name: str, granted: bool, *, at: datetime = NOW, purpose: str = "marketing") -> Record:
    return worlds.record("consent", name, json.dumps({"purpose": purpose, "granted": granted}).encode(), at=at)


def test_an_older_grant_that_comes_late_does_not_override_a_newer_withdrawal() -> None:
    withdrawn, granted = consent("w", False), consent("g", True, at=NOW - DAY)
    assert after(withdrawn, granted).consents == after(granted, withdrawn).consents == {"marketing": False}
    assert after(withdrawn, consent("n", True, at=NOW + DAY)).consents == {"marketing": True}


def test_of_two_words_of_the_same_moment_the_one_that_withholds_counts() -> None:
    withdrawn, granted = consent("w", False), consent("g", True)
    assert after(withdrawn, granted).consents == after(granted, withdrawn).consents == {"marketing": False}


@given(
    st.lists(
        st.builds(lambda *one: one, st.booleans(), st.integers(0, 4), st.sampled_from(["marketing", "service"])), max_size=8
    ),
    st.randoms(),
)
def test_consents_do_not_depend_on_the_order_of_arrival(words: list[tuple[bool, int, str]], chance: Random) -> None:
    records = [
        consent(f"c{number}", granted, at=NOW + at * DAY, purpose=purpose)
        for number, (granted, at, purpose) in enumerate(words)
    ]
    shuffled = records.copy()
    chance.shuffle(shuffled)
    assert after(*records) == after(*shuffled)


# ------------------------------------------------------------------------------------------------------------- experience


def test_a_complaint_stays_open_until_it_is_closed() -> None:
    opened = after(event("Complaint Opened", complaint_id="c1"), event("Complaint Opened", message_id="m2"))
    assert opened.open_complaints == ("c1", "m2")
    assert opened.emotion == Emotion(valence=-0.8, intensity=0.8, confidence=0.9, at=NOW)
    assert after(event("Complaint Closed", complaint_id="c1"), state=opened).open_complaints == ("m2",)
    assert after(event("Complaint Closed"), state=opened).open_complaints == ()


def test_a_close_that_comes_before_its_open_closes_it() -> None:
    opened, closed = event("Complaint Opened", complaint_id="c1"), event("Complaint Closed", complaint_id="c1", at=NOW + DAY)
    assert after(closed, opened).open_complaints == after(opened, closed).open_complaints == ()
    reopened = event("Complaint Opened", complaint_id="c1", at=NOW + 2 * DAY)
    assert after(reopened, closed, opened).open_complaints == ("c1",)


def test_to_close_all_closes_what_was_opened_until_then_whenever_that_becomes_known() -> None:
    early, late = event("Complaint Opened", complaint_id="c1"), event("Complaint Opened", complaint_id="c2", at=NOW + 2 * DAY)
    closed = event("Complaint Closed", at=NOW + DAY)
    for order in permutations((early, late, closed)):
        assert after(*order).open_complaints == ("c2",)


@given(
    st.lists(
        st.builds(
            lambda *one: one, st.sampled_from(["Opened", "Closed"]), st.sampled_from(["c1", "c2", None]), st.integers(0, 4)
        ),
        max_size=8,
    ),
    st.randoms(),
)
def test_open_complaints_do_not_depend_on_the_order_of_arrival(told: list[tuple[str, str | None, int]], chance: Random) -> None:
    records = [
        event(f"Complaint {what}", message_id=f"m{number}", at=NOW + at * DAY, **({"complaint_id": name} if name else {}))
        for number, (what, name, at) in enumerate(told)
    ]
    shuffled = records.copy()
    chance.shuffle(shuffled)
    assert after(*records).open_complaints == after(*shuffled).open_complaints
    assert after(*records).complaints == after(*shuffled).complaints


@pytest.mark.parametrize(("rating", "valence"), [(1, -1.0), (4, 0.5), (5.0, 1.0), ("4", None), (None, None)])
def test_a_rating_is_a_feeling_where_it_is_a_number(rating: object, valence: float | None) -> None:
    emotion = after(event("Satisfaction Rated", rating=rating)).emotion
    assert (None if emotion is None else emotion.valence) == valence


def test_events_that_signal_nothing_change_nothing_but_that_the_customer_is_known() -> None:
    assert after(event("Order Completed", note="Complaint Opened was read")) == State(customer_id="1029", known=True)


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_signal_is_heard_however_its_name_is_encoded(ascii_only: bool) -> None:
    body = {"type": "track", "event": 'Réclamation "A"', "properties": {"complaint_id": 7}}
    record = worlds.record("event", "m1", json.dumps(body, ensure_ascii=ascii_only).encode())
    assert after(record).open_complaints == ("7",)


def test_a_good_rating_heals_no_bad_one_that_came_before_or_after() -> None:
    for first, then in ((2, 5), (5, 2)):
        state = after(event("Satisfaction Rated", rating=first), event("Satisfaction Rated", message_id="m2", rating=then))
        assert state.emotion == Emotion(valence=1.0, intensity=1.0, confidence=1.0, at=NOW)
        assert state.unhealed == (Emotion(valence=-0.5, intensity=0.5, confidence=1.0, at=NOW),)


def test_a_late_event_fades_from_when_it_was_felt() -> None:
    early, late = (
        event("Satisfaction Rated", rating=1, at=NOW - 30 * DAY),
        event("Satisfaction Rated", message_id="m2", rating=4),
    )
    assert after(early, late).emotion == after(late, early).emotion
    assert after(late, early).emotion == Emotion(valence=0.5, intensity=0.5, confidence=1.0, at=NOW)


def test_hardship_lasts_from_when_it_began_until_it_ended_whichever_is_known_first() -> None:
    began, ended = event("Hardship Reported"), event("Hardship Resolved", message_id="m2", at=NOW + DAY)
    for order in permutations((began, ended)):
        state = after(*order)
        assert state.hardship == Episode(opened_at=NOW, closed_at=NOW + DAY)
        assert not is_open(state.hardship)
        assert is_open(after(event("Hardship Reported", message_id="m3", at=NOW + 2 * DAY), state=state).hardship)
    assert is_open(after(began).hardship) and not is_open(after(ended).hardship) and not is_open(STRANGER.hardship)
    assert not is_open(after(began, event("Hardship Resolved", message_id="m4")).hardship)


# ------------------------------------------------------------------------------------------------------------ the exchange

GIVEN: dict[str, tuple[Record, dict[str, int]]] = {
    "a consent": (worlds.record("consent", "c", b'{"purpose":"marketing","granted":true}'), {"consent": 1}),
    "no consent": (worlds.record("consent", "c", b'{"purpose":"marketing","granted":false}'), {}),
    "a wish": (worlds.record("preference", "p", b'{"customer_id":"1029","source":"app","a_week":2}'), {"preference": 1}),
    "a contest": (worlds.record("contest", "p", b'{"customer_id":"1029","feature":"x","by":"c"}'), {"contest": 1}),
    "a rating": (event("Satisfaction Rated", rating=1), {"rating": 1}),
    "a rating without a number": (event("Satisfaction Rated", rating="good"), {}),
    "an order": (event("Order Completed"), {}),
    "a friend": (outcome("referred"), {"referral": 1}),
    "an offer taken": (outcome("accepted", success=True, gives=2.5), {}),
    "a note": (worlds.record("note", "n", b'{"customer_id":"1029","by":"Kim","text":"x"}'), {}),
}


@pytest.mark.parametrize(("record", "given"), GIVEN.values(), ids=GIVEN)
def test_what_the_customer_gave_is_counted_by_kind(record: Record, given: dict[str, int]) -> None:
    assert after(record).exchange.given == given
    assert after(record, replace(record, message_id="again")).exchange.given == dict.fromkeys(given, 2)


def test_what_the_customer_got_is_counted_with_what_it_was_worth() -> None:
    taken = [outcome("accepted", message_id=f"o{at}", success=True, gives=gives) for at, gives in enumerate((0.1, 0.2, 2.5))]
    for order in permutations((*taken, outcome("clicked"), outcome("accepted", success=True))):
        assert (after(*order).exchange.received, after(*order).exchange.worth) == (4, 2.8)


def test_an_offer_is_got_once_however_often_its_success_is_told() -> None:
    """At the till and by the app, say: two messages tell of one coupon."""
    both = decision(offer(), offer(action="tea"))
    bread = [outcome("accepted", message_id=f"o{at}", success=True, gives=2.5) for at in range(2)]
    tea = outcome("accepted", message_id="o2", success=True, gives=1.0, action="tea")
    for told in permutations((*bread, tea)):
        exchange = after(both, *told).exchange
        assert (exchange.received, exchange.worth) == (2, 3.5)


def test_what_was_taken_is_told_by_the_contact_and_survives_its_writing() -> None:
    state = after(decision(offer()), outcome("accepted", success=True))
    assert [one.taken for one in state.contacts] == [True]
    assert decode(encode(state)) == state
    assert not any(one.taken for one in after(decision(offer()), outcome("accepted")).contacts)


def test_the_success_of_what_makes_good_makes_a_broken_promise_good() -> None:
    broken = worlds.state(
        promises={"p": Promise(made_at=NOW - DAY, due=NOW, make_good="coupon", status="broken", ended_at=NOW)}
    )
    assert after(outcome("accepted", success=True), state=broken).promises["p"].made_good_at == NOW
    for other in (outcome("accepted"), outcome("accepted", success=True, action="other")):
        assert after(other, state=broken).promises["p"].made_good_at is None


# --------------------------------------------------------------------------------------------------------------- contacts


def test_every_action_of_a_live_decision_reserves_a_contact() -> None:
    state = after(decision(offer("a", placement="p"), offer("b"), {"kind": "nothing"}, {"kind": "wait"}))
    assert [(one.action, one.placement, one.channel, one.confirmed) for one in state.contacts] == [
        ("a", "p", "app", False),
        ("b", "main", "app", False),
    ]
    assert state.contacts[0].expires_at == NOW + 7 * DAY


def test_an_imported_decision_took_one_contact_whatever_it_offered() -> None:
    (contact,) = after(decision(offer("a"), offer("b"), origin="imported", touchpoint="mailer")).contacts
    assert (contact.confirmed, contact.touchpoint, contact.channel) == (True, "mailer", "mailer")


def test_a_contact_keeps_the_job_that_its_action_had() -> None:
    taken = after(decision(offer("a", job="recover"), offer("b")))
    assert [(one.action, one.job) for one in taken.contacts] == [("a", "recover"), ("b", None)]
    assert decode(encode(taken)) == taken


def test_a_mandatory_message_takes_a_contact_that_says_so() -> None:
    assert [(one.action, one.mandatory) for one in after(decision(offer("a", mandatory=True), offer("b"))).contacts] == [
        ("a", True),
        ("b", False),
    ]


@pytest.mark.parametrize("kind", get_args(OutcomeKind))
def test_a_contact_is_answered_once_a_person_does_something_with_it(kind: OutcomeKind) -> None:
    taken = after(decision(offer("coupon"), offer("other")))
    answered = [one.action for one in after(outcome(kind), outcome("shown"), state=taken).contacts if one.answered]
    assert answered == (["coupon"] if kind in ("opened", "clicked", "accepted", "converted", "referred") else [])


def test_what_a_machine_opened_was_seen_and_not_answered() -> None:
    state = after(decision(), outcome("opened", machine=True, success=True, gives=2.5))
    assert [(one.confirmed, one.answered) for one in state.contacts] == [(True, False)]
    assert state.exchange.received == 0


@pytest.mark.parametrize("kind", get_args(OutcomeKind))
def test_any_outcome_but_a_bounce_confirms_the_contact_it_is_of(kind: OutcomeKind) -> None:
    taken = after(decision(offer("coupon"), offer("other")), decision(offer("coupon"), decision_id="d2"))
    confirmed = [(one.decision_id, one.action) for one in after(outcome(kind), state=taken).contacts if one.confirmed]
    assert confirmed == ([] if kind == "bounced" else [("d1", "coupon")])


def test_an_outcome_that_names_no_action_is_of_all_that_its_decision_chose() -> None:
    taken = after(decision(offer("a"), offer("b")))
    assert all(one.confirmed for one in after(outcome("shown", action=None), state=taken).contacts)


def test_contacts_and_refusals_are_forgotten_after_the_longest_window_there_may_be() -> None:
    old, edge = worlds.contact(NOW - CONTACT_MEMORY - DAY), worlds.contact(NOW - CONTACT_MEMORY)
    state = worlds.state(
        contacts=(old, edge), refusals=(Refusal(action="a", group="g", at=old.at), Refusal(action="b", group="g", at=edge.at))
    )
    folded = after(decision(offer()), outcome("rejected"), state=state)
    assert [one.at for one in folded.contacts] == [edge.at, NOW]
    assert [one.action for one in folded.refusals] == ["b", "coupon"]


# -------------------------------------------------------------------------------------------------------- what they answer


def test_a_rejected_action_rests_its_group() -> None:
    assert after(outcome("rejected")).refusals == (Refusal(action="coupon", group="coupons", at=NOW),)
    assert after(outcome("rejected", group=None)).refusals[0].group == "coupon"
    assert after(outcome("rejected", action=None)).refusals == ()


def test_to_put_an_action_off_is_kept_apart_from_refusing_it() -> None:
    later = outcome("maybe_later", message_id="l1", at=NOW - DAY)
    for order in permutations((later, outcome("maybe_later", group=None), outcome("rejected"))):
        state = after(*order)
        assert state.postponed == (
            Refusal(action="coupon", group="coupons", at=NOW - DAY),
            Refusal(action="coupon", group="coupon", at=NOW),
        )
        assert state.refusals == (Refusal(action="coupon", group="coupons", at=NOW),)
    assert after(outcome("maybe_later", action=None)).postponed == ()


def test_a_complaint_about_a_message_is_a_complaint() -> None:
    state = after(outcome("complained"))
    assert state.open_complaints == ("complained",)
    assert state.emotion is not None and state.emotion.valence < 0


@pytest.mark.parametrize(("touchpoint", "channel"), [("email", "email"), ("app_home", "app"), ("mailer", "mailer")])
def test_to_unsubscribe_closes_the_channel_of_the_touchpoint(touchpoint: str, channel: str) -> None:
    assert after(outcome("unsubscribed", touchpoint=touchpoint)).closed_channels == (channel,)


@pytest.mark.parametrize("kind", ["ignored", "bounced"])
def test_other_outcomes_leave_the_customer_as_they_were(kind: str) -> None:
    assert after(outcome(kind)) == State(customer_id="1029", known=True)


def test_a_catalog_and_a_kind_of_later_versions_say_nothing_of_a_customer() -> None:
    known = worlds.state()
    assert after(worlds.record("catalog", "c", b"{}"), worlds.record("weather", "p", b"{}"), state=known) == known


def test_a_state_is_kept_as_it_is() -> None:
    state = worlds.state(
        emotion=Emotion(valence=0.1, intensity=1 / 3, confidence=0.1, at=NOW + timedelta(microseconds=1)),
        unhealed=(Emotion(valence=-0.1, intensity=0.3, confidence=0.1, at=NOW),),
        contacts=(worlds.contact(),),
        refusals=(Refusal(action="a", group="g", at=NOW),),
        open_complaints=("c1",),
        traits={"first_name": "Ada"},
        time_zone="Europe/Paris",
    )
    assert decode(encode(state)) == state
    assert decode(encode(STRANGER)) == STRANGER
