"""A brand's files compiled: what fits, what does not and where, and the version that names them."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import pytest

from decisioning.catalog import Treatment
from decisioning.domain import Message
from decisioning.voice import Voice
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


VOICED = """currency: USD
voice:
  forbidden: [guaranteed]
  urgency: [hurry]
  limits: {exclamation_marks: 0, title_characters: 30}
  limits_on:
    phone: {title_characters: 20}
  tones:
    sorry: {must_say: [sorry, apologise]}
    plain: {}
  tone: plain
  tone_of:
    upset: [sorry, plain]
    prospect: [plain]
  partner_disclosure: Together with {partner}
"""
"""A voice, put where the brand says its currency."""


def test_a_voice_is_read_from_the_brand_and_its_currency_and_locale_go_with_it() -> None:
    policy = corner.playbook(**edited("brand", "currency: USD\n", VOICED)).policy
    assert policy.voice.tones["sorry"].must_say == ("sorry", "apologise")
    assert policy.voice.limits_on["phone"].title_characters == 20
    assert policy.voice.tone_of == {"upset": ("sorry", "plain"), "prospect": ("plain",)}
    assert (policy.currency, policy.locale) == ("USD", "en-US")
    assert corner.playbook().policy.voice == Voice()


def test_a_treatment_is_written_alone_or_in_several_tones_and_in_other_locales() -> None:
    several = """
        - {title: We are sorry, body: We call you., tone: sorry, locales: {es: {title: Lo sentimos, body: Llamamos.}}}
        - {title: A word from us, body: We call you., tone: plain}"""
    changed = edited("catalog", " {title: We are sorry, body: We call you.}", several)
    voiced = edited("brand", "currency: USD\n", VOICED.replace("apologise]", "lo sentimos]"))
    action = corner.playbook(**changed, **voiced).catalog["sorry"]
    assert [one.tone for one in action.treatments["app"]] == ["sorry", "plain"]
    assert action.treatments["app"][0].locales == {"es": Message(title="Lo sentimos", body="Llamamos.")}
    assert action.treatments["phone"] == (Treatment(title="Apologise", body="Offer a call back."),)


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
        "actions.bread.treatments.app.title",
        "unknown field {name}; the known ones are brand, first_name",
    ),
    "no fallback": Mistake(
        "catalog",
        "{points|some}",
        "{points}",
        "actions.points.treatments.app.title",
        "{points} has no fallback; write {points|...}",
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
        "brand", "America/New_York", "New York", "time_zone", "unknown time_zone 'New York'; write an IANA name"
    ),
    "a prior that is none": Mistake(
        "catalog", "response: {prior: 0.2}", "response: {prior: 2}", "actions.points.response.prior", "is a probability"
    ),
    "more than all": Mistake(
        "catalog", "incrementality: 0.5", "incrementality: 5", "groups.offers.incrementality", "is a share: from 0 to 1"
    ),
    "a folder of zones": Mistake("brand", "America/New_York", "America", "time_zone", "unknown time_zone 'America'"),
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
    "default text": Mistake(
        "touchpoints", "Welcome to {brand}", "Welcome to {shop}", "app.default.title", "unknown field {shop}"
    ),
    "locale of a text": Mistake(
        "catalog",
        "body: Offer a call back.}",
        "body: Offer a call back., locales: {Spanish: {title: Hola, body: Hola}}}",
        "actions.sorry.treatments.phone.locales.Spanish",
        "'Spanish' is no locale; write a language and perhaps a region, such as es or es-US",
    ),
    "brand's locale": Mistake("brand", "locale: en-US", "locale: english", "locale", "'english' is no locale"),
    "key of a text": Mistake(
        "catalog", "{title: Apologise,", "{titel: Apologise,", "actions.sorry.treatments.phone.titel", "did you mean 'title'?"
    ),
    "tone": Mistake(
        "catalog",
        "{title: Apologise,",
        "{title: Apologise, tone: sad,",
        "actions.sorry.treatments.phone.tone",
        "unknown tone 'sad'; the known ones are none",
    ),
    "partner": Mistake(
        "catalog", "topics: [bakery]", "partner: Mill", "actions.bread.partner", "add voice.partner_disclosure to brand.yaml"
    ),
    "stage that is none": Mistake(
        "policy",
        "require: profile.orders_30d > 0",
        "require: stage = actif",
        "rules.eligibility.0.require",
        "unknown value of stage 'actif'; the known ones are active, prospect",
    ),
    "experiment that is none": Mistake(
        "catalog",
        "relevant: state.open_complaint = true",
        "relevant: experiment.tempo = slow",
        "actions.sorry.relevant",
        "unknown experiment 'tempo'; the known ones are none",
    ),
    "fatigue": Mistake(
        "policy",
        "cool_down: 14d",
        "fatigue: {within: 7d, least: 4, most: 2}",
        "contact.fatigue.most",
        "must be at least 1, and at least as much as least",
    ),
    "experiment": Mistake(
        "policy",
        "exploration: {",
        "experiments: [{experiment: e, arms: {a: 0.7, b: 0.7}}]\nexploration: {",
        "experiments.0.arms",
        "together at most 1",
    ),
    "least time between": Mistake(
        "catalog",
        "    budget: 3",
        "    budget: 3\n    every: 90d",
        "actions.bread.every",
        "must be longer than 0 and at most 60d",
    ),
    "what it gives": Mistake("catalog", "gives: 1.5", "gives: -1.5", "actions.bread.gives", "is below 0; use 0 or more"),
    "mandatory": Mistake(
        "catalog", "    budget: 3", "    mandatory: sometimes", "actions.bread.mandatory", "expected true or false"
    ),
    "maybe later": Mistake(
        "policy",
        "cool_down: 14d",
        "maybe_later: {to: 2}",
        "contact.maybe_later.to",
        "is a factor from 0 to 1",
    ),
    "fatigue's share": Mistake(
        "policy",
        "cool_down: 14d",
        "fatigue: {within: 7d, least: 1, most: 2, usual: 10}",
        "contact.fatigue.usual",
        "is a share of messages answered",
    ),
    "what wishes weigh": Mistake(
        "policy",
        "exploration: {",
        "preferences: {more: 0.5}\nexploration: {",
        "preferences.more",
        "is a factor of at least 1",
    ),
    "what promises pause": Mistake(
        "policy",
        "exploration: {",
        "promises: {after: 0}\nexploration: {",
        "promises.after",
        "counts promises: 1 or more",
    ),
    "experiment within none": Mistake(
        "policy",
        "exploration: {",
        "experiments: [{experiment: e, arms: {a: 0.5}, within: {f: [a]}}]\nexploration: {",
        "experiments.0.within.f",
        "unknown earlier experiment 'f'; the known ones are none",
    ),
    "truth that is none": Mistake(
        "catalog",
        "relevant: state.open_complaint = true",
        "relevant: state.hardship = yes",
        "actions.sorry.relevant",
        "state.hardship is true or false; write state.hardship = true",
    ),
    "weight's scale": Mistake(
        "policy",
        "exploration: {",
        "weights: [{rule: w, factor: 2, scale: stage}]\nexploration: {",
        "weights.0.scale",
        "stage is no number; scale by a field in 0..1",
    ),
    "count of a cap": Mistake(
        "policy",
        "within: 7d, scope: {channel: [app]}}",
        "within: 7d, each: person}",
        "contact.caps.0.each",
        "'person' is not one of customer, action, group, channel",
    ),
    "voice": Mistake("brand", "currency: USD\n", "currency: USD\nvoice: {tone: warm}\n", "voice.tone", "unknown tone 'warm'"),
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


VOICE_MISTAKES = {
    "claim": ("body: Well done.", "body: Guaranteed.", "Guaranteed", "actions.points.treatments.app.body", "says 'guaranteed'"),
    "urgency": ("title: Bread by mail", "title: Hurry", "Hurry", "actions.bread.treatments.email.title", "says 'hurry'"),
    "mark": ("body: Well done.", "body: Well done!", "Well done!", "actions.points.treatments.app.body", "1 exclamation mark"),
    "length on a channel": (
        "title: Apologise,",
        "title: Apologise for all of it,",
        "for all of it",
        "actions.sorry.treatments.phone.title",
        "has 23 characters with its fallbacks, at most 20",
    ),
    "a second tone": (
        "{title: Apologise, body: Offer a call back.}",
        "\n      - {title: A, body: B}\n      - {title: C,\n         body: D, tone: sorry}",
        "- {title: C",
        "actions.sorry.treatments.phone.1",
        "the tone 'sorry' must say one of: sorry, apologise",
    ),
    "partner": (
        "topics: [bakery]",
        "partner: Mill",
        "app: {title",
        "actions.bread.treatments.app",
        "does not say 'Together with {partner}'",
    ),
}


@pytest.mark.parametrize("case", VOICE_MISTAKES.values(), ids=VOICE_MISTAKES.keys())
def test_a_text_against_the_brands_voice_is_told_with_its_line_and_its_key(case: tuple[str, str, str, str, str]) -> None:
    old, new, on, key, words = case
    changed = edited("catalog", old, new)
    told = faults(**changed, **edited("brand", "currency: USD\n", VOICED))
    fault = next(one for one in told if words in one)
    file, line, _, rest = fault.split(":", 3)
    assert (file, rest.split(": ")[0]) == ("catalog.yaml", f" {key}")
    assert on in changed["catalog"].splitlines()[int(line) - 1]


def test_what_can_be_checked_is_checked_beside_a_file_that_cannot_be_read() -> None:
    told = faults(
        brand="name: Corner\ncurrency: [",
        catalog=corner.TEXTS["catalog.yaml"]
        .replace("value: 10.0", "value: ten")
        .replace("{points|some}", "{points}")
        .replace("relevant: state.open_complaint = true", "relevant: stage = actif"),
        policy=corner.TEXTS["policy.yaml"]
        .replace("most: 5", "most: 0")
        .replace("scope: {group: [offers]}", "scope: {group: [x]}"),
    )
    assert [f"{fault.split(':')[0]}:{fault.split(': ')[1]}" for fault in told] == [
        "brand.yaml:not YAML",
        "catalog.yaml:actions.bread.value",
        "catalog.yaml:actions.points.treatments.app.title",
        "catalog.yaml:actions.sorry.relevant",
        "policy.yaml:rules.eligibility.0.scope",
        "policy.yaml:contact.caps.0.most",
    ]


def test_what_is_sound_in_an_action_with_faults_is_checked_too() -> None:
    told = faults(
        **edited("brand", "currency: USD\n", VOICED),
        catalog=corner.TEXTS["catalog.yaml"]
        .replace("    budget: 3", "    budget: few\n    partner: 3\n    gives: much")
        .replace("title: Bread by mail, body: Hello.", "title: Hurry, body: 'Hello to {gives} and {partner}.'")
        .replace("{title: We are sorry, body: We call you.}", "{titel: We are sorry, body: We call you.}")
        .replace("{title: Apologise, body: Offer a call back.}", "{title: Apologise, body: Guaranteed, tone: sad}"),
    )
    assert [fault.split(": ")[1] for fault in told] == [
        "actions.bread.budget",
        "actions.bread.partner",
        "actions.bread.gives",
        "actions.bread.treatments.email.title",
        "actions.sorry.treatments.app.titel",
        "actions.sorry.treatments.app",
        "actions.sorry.treatments.phone.tone",
        "actions.sorry.treatments.phone.body",
    ]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_is_the_only_fault_there_is(name: str) -> None:
    assert len(faults(**{name.removesuffix(".yaml"): "a: ["})) == 1
    told = faults(**{name.removesuffix(".yaml"): corner.TEXTS[name] + "\nunheard_of: {a: 1}\n"})
    assert all(fault.startswith(f"{name}:") and "unheard_of" in fault for fault in told)


def test_an_action_keeps_its_whole_name_dots_and_all() -> None:
    book = corner.playbook(**edited("catalog", "  points:\n", "  care.points:\n"))
    assert book.catalog["care.points"].name == "care.points"


def test_a_published_version_compiles_from_its_texts_alone() -> None:
    assert compile_playbook(corner.TEXTS, folder="published: ") == corner.playbook()
