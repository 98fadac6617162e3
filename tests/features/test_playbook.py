"""A brand's files compiled: what fits, what does not and where, and the version that names them."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import pytest

from features.playbook import FILES, compile_playbook, version_of
from features.yaml_nodes import WorkspaceError
from tests import corner


def faults(**changed: str) -> list[str]:
    """The faults of the corner shop with the texts of some files replaced."""
    with pytest.raises(WorkspaceError) as error:
        corner.playbook(**changed)
    return error.value.faults


def edited(name: str, old: str, new: str) -> dict[str, str]:
    """One file with one place changed."""
    text = corner.TEXTS[f"{name}.yaml"]
    assert text.count(old) >= 1
    return {name: text.replace(old, new, 1)}


# ------------------------------------------------------------------------------------------------------------ what is read


def test_the_files_of_a_brand_become_one_playbook() -> None:
    book = corner.playbook()
    assert [action.name for action in book.catalog.actions] == ["bread", "points", "sorry"]
    assert set(book.catalog.touchpoints) == {"app", "phone", "email"}
    assert book.catalog.topics == ("bakery", "produce")
    assert book.catalog["bread"].response.features == {"coupons": 2}
    assert book.catalog["sorry"].job == "recover"
    assert book.policy.time_zone == book.brand.time_zone == "America/New_York"
    assert book.policy.purposes["marketing"].default is False
    assert book.brand.signals["Satisfaction Rated"].scale == (1.0, 5.0)
    assert book.texts == corner.TEXTS


def test_hours_and_durations_are_read_as_they_are_meant() -> None:
    contact = corner.playbook().policy.contact
    assert contact.quiet_hours is not None
    assert (contact.quiet_hours.start, contact.quiet_hours.end) == (time(21), time(8))
    assert [cap.within for cap in contact.caps] == [timedelta(days=7), timedelta(hours=24)]


def test_times_of_a_brand_are_local_to_it_and_kept_in_utc() -> None:
    book = corner.playbook()
    assert book.brand.starts_at == datetime(2018, 1, 1, 14, tzinfo=UTC)
    assert book.catalog["bread"].valid_from == datetime(2017, 12, 1, 5, tzinfo=UTC)
    summer = corner.playbook(**edited("catalog", "valid_until: 2018-02-01", "valid_until: 2018-07-01T12:00:00"))
    assert summer.catalog["bread"].valid_until == datetime(2018, 7, 1, 16, tzinfo=UTC)
    offset = corner.playbook(**edited("catalog", "valid_until: 2018-02-01", "valid_until: 2018-02-01T00:00:00Z"))
    assert offset.catalog["bread"].valid_until == datetime(2018, 2, 1, tzinfo=UTC)


def test_a_brand_without_a_clock_has_no_first_moment() -> None:
    book = corner.playbook(**edited("brand", "clock: {starts_at: 2018-01-01T09:00:00}\n", ""))
    assert book.brand.starts_at is None


def test_a_version_names_the_texts_and_nothing_else() -> None:
    version = version_of(corner.TEXTS)
    assert corner.playbook().version == version == version_of(dict(reversed(corner.TEXTS.items())))
    assert version == version_of(corner.TEXTS | {"models.yaml": "more"})
    for name in FILES:
        assert version_of(corner.TEXTS | {name: corner.TEXTS[name] + "\n"}) != version


# ----------------------------------------------------------------------------------------------------------- what does not


@dataclass(frozen=True)
class Mistake:
    """One place of one file changed, and what is said of it."""

    file: str
    old: str
    new: str
    key: str
    words: str

    @property
    def text(self) -> str:
        return edited(self.file, self.old, self.new)[self.file]


MISTAKES = {
    "unknown key": Mistake("catalog", "    job: sell", "    jb: sell", "actions.bread.jb", "unknown key; did you mean 'job'?"),
    "unknown group": Mistake(
        "catalog",
        "    group: offers",
        "    group: offer",
        "actions.bread.group",
        "unknown group 'offer'; the known ones are care, offers",
    ),
    "unknown touchpoint": Mistake(
        "catalog",
        "      phone: {",
        "      fone: {",
        "actions.sorry.treatments.fone",
        "unknown touchpoint 'fone'; the known ones are app, email, phone",
    ),
    "unknown purpose": Mistake(
        "catalog", "purpose: marketing", "purpose: adverts", "actions.bread.purpose", "unknown consent purpose 'adverts'"
    ),
    "unknown topic": Mistake(
        "catalog",
        "topics: [bakery]",
        "topics: [baking]",
        "actions.bread.topics",
        "unknown topic 'baking'; the known ones are bakery, produce",
    ),
    "unknown placeholder": Mistake(
        "catalog",
        "{first_name|neighbour}",
        "{name|neighbour}",
        "actions.bread.treatments.app",
        "unknown field {name}; the known ones are brand, first_name",
    ),
    "no fallback": Mistake(
        "catalog", "{points|some}", "{points}", "actions.points.treatments.app", "{points} has no fallback; write {points|...}"
    ),
    "unknown feature": Mistake(
        "catalog",
        "relevant: state.open_complaint = true",
        "relevant: profile.order_30d > 1",
        "actions.sorry.relevant",
        "profile.order_30d is not in profile.yaml",
    ),
    "unknown state": Mistake(
        "catalog",
        "relevant: state.open_complaint = true",
        "relevant: state.complaint = true",
        "actions.sorry.relevant",
        "unknown field 'state.complaint'; the known ones are state.",
    ),
    "unreadable condition": Mistake(
        "catalog",
        "relevant: state.open_complaint = true",
        "relevant: complaint is open",
        "actions.sorry.relevant",
        "cannot read the condition 'complaint is open'",
    ),
    "two sources of a response": Mistake(
        "catalog",
        "response: {prior: 0.2}",
        "response: {prior: 0.2, model: m}",
        "actions.points.response",
        "give exactly one of model and prior",
    ),
    "twice": Mistake("catalog", "  points:\n", "  bread:\n", "actions.bread", "written twice; keep one"),
    "validity": Mistake(
        "catalog", "valid_from: 2017-12-01", "valid_from: 2018-12-01", "actions.bread.valid_until", "is not after valid_from"
    ),
    "a day that is none": Mistake(
        "catalog",
        "valid_from: 2017-12-01",
        "valid_from: 2017-02-30",
        "actions.bread.valid_from",
        "expected a time such as 2018-01-01T09:00:00, found '2017-02-30'",
    ),
    "missing key": Mistake("catalog", "    value: 10.0\n", "", "actions.bread", "the key 'value' is missing; add it"),
    "time zone": Mistake(
        "brand", "America/New_York", "New York", "the file", "unknown time_zone 'New York'; write an IANA name"
    ),
    "a folder of zones": Mistake("brand", "America/New_York", "America", "the file", "unknown time_zone 'America'"),
    "feeling": Mistake("brand", "valence: -0.9", "valence: -9", "signals.Complaint Opened.emotion", "valence lies in -1..1"),
    "rule's scope": Mistake(
        "policy", "scope: {group: [offers]}", "scope: {group: [offer]}", "rules.eligibility.0.scope", "unknown group 'offer'"
    ),
    "rule's field": Mistake(
        "policy",
        "profile.orders_30d > 0",
        "profile.orders > 0",
        "rules.eligibility.0.require",
        "profile.orders is not in profile.yaml",
    ),
    "cap": Mistake("policy", "most: 5", "most: 0", "contact.caps.0.most", "is below 1"),
    "hour": Mistake(
        "policy", "start: 21:00", "start: 9pm", "contact.quiet_hours.start", "expected a time of day such as 21:00, found '9pm'"
    ),
    "duration": Mistake(
        "policy", "cool_down: 14d", "cool_down: 2w", "contact.cool_down", "expected a duration such as 30d or 12h, found '2w'"
    ),
    "journey": Mistake(
        "policy",
        "{stage: active}",
        "{stage: active, when: state.known = true}",
        "journey",
        "the last stage must have no 'when'",
    ),
    "job": Mistake(
        "touchpoints",
        "jobs: [sell, inform, recover]",
        "jobs: [sell, informs]",
        "app.jobs.1",
        "'informs' is not one of inform, onboard, sell",
    ),
    "default text": Mistake("touchpoints", "Welcome to {brand}", "Welcome to {shop}", "app.default", "unknown field {shop}"),
    "profile": Mistake(
        "profile",
        "sum: total, half_life: 90d",
        "sum: total, halflife: 90d",
        "views.orders.features.spend_90d.halflife",
        "unknown key; did you mean 'half_life'?",
    ),
}


@pytest.mark.parametrize("case", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_with_file_line_key_and_cure(case: Mistake) -> None:
    fault = next(one for one in faults(**{case.file: case.text}) if case.words in one)
    file, line, column, rest = fault.split(":", 3)
    assert file == f"{case.file}.yaml"
    assert rest.startswith(f" {case.key}: ")
    lines = case.text.splitlines()
    assert 1 <= int(line) <= len(lines)
    assert 1 <= int(column) <= len(lines[int(line) - 1]) + 1


@pytest.mark.parametrize(
    ("case", "on"),
    [
        ("unknown key", "jb: sell"),
        ("unknown group", "group: offer"),
        ("unknown touchpoint", "fone: {"),
        ("unknown placeholder", "{name|neighbour}"),
        ("unreadable condition", "complaint is open"),
        ("rule's scope", "scope: {group: [offer]}"),
        ("cap", "most: 0"),
        ("hour", "start: 9pm"),
        ("profile", "halflife"),
    ],
)
def test_the_line_that_is_named_is_the_line_to_mend(case: str, on: str) -> None:
    mistake = MISTAKES[case]
    fault = next(one for one in faults(**{mistake.file: mistake.text}) if mistake.words in one)
    assert on in mistake.text.splitlines()[int(fault.split(":")[1]) - 1]


def test_all_faults_of_all_files_are_told_at_once() -> None:
    told = faults(
        **edited("brand", "currency: USD\n", ""),
        **edited("policy", "cool_down: 14d", "cool_down: 2w"),
        catalog=corner.TEXTS["catalog.yaml"].replace("value: 10.0", "value: ten").replace("prior: 0.6", "prior: 6"),
    )
    assert [fault.split(":")[0] for fault in told] == ["brand.yaml", "catalog.yaml", "catalog.yaml", "policy.yaml"]


def test_all_contradictions_between_files_are_told_at_once() -> None:
    told = faults(
        catalog=corner.TEXTS["catalog.yaml"].replace("group: offers", "group: offer").replace("[bakery]", "[baking]"),
        policy=corner.TEXTS["policy.yaml"].replace("profile.orders_30d", "profile.orders"),
    )
    assert len(told) == 3


def test_an_action_keeps_its_whole_name_dots_and_all() -> None:
    book = corner.playbook(**edited("catalog", "  points:\n", "  care.points:\n"))
    assert book.catalog["care.points"].name == "care.points"


def test_a_published_version_compiles_from_its_texts_alone() -> None:
    assert compile_playbook(corner.TEXTS, folder="published: ") == corner.playbook()
