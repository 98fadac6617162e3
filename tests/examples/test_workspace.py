"""The demo brand's own files: what a newcomer copies must be right."""

from pathlib import Path

import pytest

import examples.grocer
from features.workspace import Workspace


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return Workspace.load(Path(examples.grocer.__file__).parent)


def test_the_workspace_loads_and_its_clock_starts_on_new_years_day_in_new_york(workspace: Workspace) -> None:
    assert workspace.brand.starts_at is not None
    assert workspace.brand.starts_at.isoformat() == "2018-01-01T14:00:00+00:00"


def test_every_action_has_a_treatment_at_a_touchpoint_that_does_its_job(workspace: Workspace) -> None:
    catalog = workspace.playbook.catalog
    assert len(catalog.actions) >= 22
    for action in catalog.actions:
        places = [catalog.touchpoints[name] for name in action.treatments]
        assert any(action.job in place.jobs for place in places), action.name


def test_no_treatment_is_written_for_a_place_that_could_never_show_it(workspace: Workspace) -> None:
    catalog = workspace.playbook.catalog
    idle = [
        (action.name, name)
        for action in catalog.actions
        for name in action.treatments
        if action.job not in catalog.touchpoints[name].jobs
    ]
    assert idle == []


def test_the_six_touchpoints_are_there_and_a_place_that_asks_always_has_something_to_show(workspace: Workspace) -> None:
    touchpoints = workspace.playbook.catalog.touchpoints
    assert {name: place.direction for name, place in touchpoints.items()} == {
        "app_home": "inbound",
        "web": "inbound",
        "till_receipt": "inbound",
        "call_centre": "inbound",
        "email": "outbound",
        "mailer": "outbound",
    }
    assert [name for name, place in touchpoints.items() if place.direction == "inbound" and place.default is None] == []


def test_a_till_receipt_recovers_nobody_and_a_call_serves_and_recovers_first(workspace: Workspace) -> None:
    touchpoints = workspace.playbook.catalog.touchpoints
    assert "recover" not in touchpoints["till_receipt"].jobs
    assert touchpoints["call_centre"].jobs[:2] == ("serve", "recover")


def test_a_rule_of_each_kind_is_shown_by_example(workspace: Workspace) -> None:
    rules = workspace.playbook.policy.rules
    assert rules.eligibility
    assert rules.applicability
    assert rules.suitability
    assert all(rule.says for rule in (*rules.eligibility, *rules.applicability, *rules.suitability))


def test_no_text_presses_for_time(workspace: Workspace) -> None:
    pressing = ("hurry", "last chance", "only today", "act now", "don't miss", "don’t miss", "running out", "!")
    texts = [
        (action.name, place, text)
        for action in workspace.playbook.catalog.actions
        for place, treatments in action.treatments.items()
        for treatment in treatments
        for _, message in treatment.messages
        for text in (message.title, message.body, message.cta)
    ]
    assert [entry for entry in texts if any(word in entry[2].lower() for word in pressing)] == []


def test_the_brand_speaks_in_every_tone_it_names_and_to_the_upset_where_it_cares(workspace: Workspace) -> None:
    voice, catalog = workspace.playbook.policy.voice, workspace.playbook.catalog
    texts = [(action, one) for action in catalog.actions for treatments in action.treatments.values() for one in treatments]
    assert {one.tone or voice.tone for _, one in texts} == set(voice.tones)
    assert {action.name for action, one in texts if one.tone == "sorry"} == {"apology_call", "sorry_voucher", "welcome_back"}
    assert voice.forbidden and voice.urgency and voice.partner_disclosure
