"""Texts are in the brand's voice in every locale and tone, and there are words for whom an action must reach."""

from dataclasses import replace
from typing import Any

import pytest

from decisioning.catalog import Text, Treatment
from decisioning.check import faults
from decisioning.domain import Message
from decisioning.policy import Policy, Stage
from decisioning.voice import Limits, Tone, Voice
from tests import worlds

VOICE = Voice(
    forbidden=("guaranteed", "risk-free"),
    urgency=("hurry", "only today", "solo hoy"),
    abbreviations=("USA",),
    limits=Limits(title_characters=20, body_characters=60, cta_characters=12, exclamation_marks=0, capital_words=0),
    limits_on={"email": Limits(title_characters=40, exclamation_marks=2)},
    tones={
        "sorry": Tone(must_say=("sorry", "apologise", "lo sentimos"), never_says=("offer",)),
        "plain": Tone(exclamation_marks=0, body_characters=40),
        "warm": Tone(),
    },
    tone="warm",
    tone_of={"upset": ("sorry", "plain"), "happy": ("warm", "plain"), "active": ("warm", "plain", "sorry")},
    partner_disclosure="Together with {partner}",
    partner_disclosure_in={"es": "Junto con {partner}"},
)


def spoken(voice: Voice = VOICE, **changes: Any) -> list[tuple[str, str]]:
    """The faults of an action, each as path below it and words."""
    policy: Policy = worlds.policy(voice=voice)
    places = (worlds.touchpoint(default=None), worlds.email())
    told = faults(worlds.catalog(worlds.action(**changes), touchpoints=places), policy, worlds.index())
    assert {part for part, *_ in told} <= {"catalog"}
    return [(".".join(path[2:]), cause) for _, path, cause in told]


def said(place: str = "app_home", **parts: Any) -> dict[str, Any]:
    """An action's one text, at one place."""
    return {"treatments": {place: worlds.treatment(**parts)}}


def test_a_text_in_the_brands_voice_has_no_fault() -> None:
    assert spoken() == []


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "claim": (said(title="GuaranTeed?"), "app_home.title", "says 'guaranteed', which the brand never claims"),
    "claim across a dash": (said(body="It is risk free."), "app_home.body", "says 'risk-free'"),
    "claim in a fallback": (said(title="A {tier|guaranteed} win"), "app_home.title", "says 'guaranteed'"),
    "claim made by a fallback": (said(body="Risk {tier|free} for you"), "app_home.body", "says 'risk-free'"),
    "urgency": (said(body="Hurry, {first_name|you}"), "app_home.body", "says 'hurry', which presses for time"),
    "urgency on the button": (said(cta="Only today"), "app_home.cta", "says 'only today'"),
    "long title": (
        said(title="A title of 24 characters"),
        "app_home.title",
        "has 24 characters with its fallbacks, at most 20",
    ),
    "long with its fallback": (said(title="Hi {first_name|dear neighbour of ours}"), "app_home.title", "has 25 characters"),
    "long button": (said(cta="Take it right now"), "app_home.cta", "has 17 characters"),
    "channel's own limit": (said("email", title="x" * 41), "email.title", "has 41 characters with its fallbacks, at most 40"),
    "exclamation": (said(body="Hello!"), "app_home.body", "1 exclamation mark, at most 0"),
    "exclamations in all": (said("email", title="Oh!", body="My!", cta="Yes!"), "email.cta", "3 exclamation marks, at most 2"),
    "tone's stricter limit": (said("email", body="Hello!", tone="plain"), "email.body", "1 exclamation mark, at most 0"),
    "tone's shorter text": (
        said(body="x" * 41, tone="plain"),
        "app_home.body",
        "has 41 characters with its fallbacks, at most 40",
    ),
    "capitals": (said(body="A dollar OFF in the USA"), "app_home.body", "the message shouts OFF"),
    "tone without its word": (
        said(tone="sorry"),
        "app_home",
        "the tone 'sorry' must say one of: sorry, apologise, lo sentimos",
    ),
    "tone with a wrong word": (
        said(title="Sorry", body="An offer.", tone="sorry"),
        "app_home.body",
        "the tone 'sorry' never says",
    ),
    "unknown tone": (said(tone="grumpy"), "app_home.tone", "unknown tone 'grumpy'; the known ones are plain, sorry, warm"),
    "locale": (
        said(locales={"spanish": Message(title="Hola", body="")}),
        "app_home.locales.spanish",
        "'spanish' is no locale; write a language and perhaps a region, such as es or es-US",
    ),
    "form of a translation": (
        said(locales={"es": Message(title="Hola {first_name}", body="")}),
        "app_home.locales.es.title",
        "{first_name} has no fallback",
    ),
    "words of a translation": (
        said(locales={"es": Message(title="¡Sólo hoy", body="")}),
        "app_home.locales.es.title",
        "says 'solo hoy'",
    ),
    "tone of a translation": (
        said(title="Sorry", tone="sorry", locales={"es": Message(title="Hola", body="")}),
        "app_home.locales.es",
        "the tone 'sorry' must say one of",
    ),
    "one of several": (
        {"treatments": {"app_home": (Treatment(title="A", body=""), Treatment(title="B", body="Hurry", tone="plain"))}},
        "app_home.1.body",
        "says 'hurry'",
    ),
    "no text at all": ({"treatments": {"app_home": worlds.treatment(), "email": ()}}, "email", "the list is empty"),
    "undisclosed partner": (said() | {"partner": "Hill Farm"}, "app_home", "does not say 'Together with {partner}'"),
    "undisclosed in a translation": (
        said(body="Together with {partner}.", locales={"es-US": Message(title="Hola", body="Together with {partner}")})
        | {"partner": "Hill Farm"},
        "app_home.locales.es-US",
        "does not say 'Junto con {partner}'",
    ),
    "partner of none": (said(body="with {partner}"), "app_home.body", "the action names no partner; add partner, or"),
    "gives nothing": (said(body="worth {gives}"), "app_home.body", "the action names no gives; add gives, or"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_a_text_that_is_not_in_the_brands_voice_is_named_at_its_key(case: tuple[dict[str, Any], str, str]) -> None:
    changes, path, words = case
    ((where, told),) = spoken(**changes)
    assert where == f"treatments.{path}"
    assert words in told


RIGHT: dict[str, dict[str, Any]] = {
    "an abbreviation": said(body="Made in the USA"),
    "as long as allowed": said(title="x" * 20, body="y" * 60, cta="z" * 12),
    "more on a channel with limits of its own": said("email", title="x" * 40, body="Oh! My!"),
    "a channel's silence leaves the general limit": said("email", body="x" * 60),
    "sorry in another part": said(title="A note", cta="Apologise", tone="sorry"),
    "sorry in each language": said(title="Sorry", tone="sorry", locales={"es": Message(title="Lo sentimos", body="")}),
    "disclosed": said(body="Together with {partner}, for {gives}.") | {"partner": "Hill Farm", "gives": 5.0},
    "disclosed by name": said(body="together with HILL, but {tier|true}: Together with HILL.") | {"partner": "HILL"},
    "disclosed with a needless fallback": said(body="Together with {partner|a friend}.") | {"partner": "Hill Farm"},
    "disclosed in each language": said(
        title="Together with {partner}", locales={"es-US": Message(title="Junto con {partner}", body="")}
    )
    | {"partner": "U"},
    "nobody upset is sold to": said(tone="warm"),
}


@pytest.mark.parametrize("changes", RIGHT.values(), ids=RIGHT.keys())
def test_what_the_voice_allows_is_no_fault(changes: dict[str, Any]) -> None:
    assert spoken(**changes) == []


def test_all_faults_of_a_text_are_told() -> None:
    told = spoken(
        **said(
            title="HURRY, it is guaranteed, it is risk-free!", body="Only today!", locales={"es": Message(title="", body="{x}")}
        )
    )
    assert len(told) == 9


@pytest.mark.parametrize("job", ["recover", "serve", "retain"])
def test_care_has_words_for_the_upset_wherever_it_is_given(job: str) -> None:
    care = said("email", tone="plain")["treatments"] | said(tone="warm")["treatments"]
    told = spoken(job=job, treatments=care)
    assert told == [("treatments.app_home", "has no words for an upset customer; add a treatment in the tone sorry or plain")]
    both = (*worlds.treatment(tone="warm"), *worlds.treatment(tone="plain"))
    assert spoken(job=job, treatments={"app_home": both, "email": worlds.treatment(tone="plain")}) == []


def test_care_needs_no_such_words_where_the_place_does_not_do_its_job() -> None:
    catalog = worlds.catalog(
        worlds.action(job="recover", treatments={"app_home": worlds.treatment(tone="plain"), "email": worlds.treatment()}),
        touchpoints=(worlds.touchpoint(default=None), worlds.email(jobs=("sell",))),
    )
    assert faults(catalog, worlds.policy(voice=VOICE), worlds.index()) == []


def test_a_mandatory_message_has_words_for_everybody() -> None:
    voice = replace(VOICE, tone_of={"upset": ("plain",), "happy": ("warm",)})
    assert spoken(voice, mandatory=True, **said(tone="plain")) == [
        (
            "treatments.app_home",
            "is mandatory and has no words for a customer who is active and happy; add a treatment in a fitting tone",
        )
    ]
    assert [words.split(";")[0] for _, words in spoken(voice, mandatory=True, **said(tone="warm"))] == [
        "has no words for an upset customer"
    ]


def test_a_tone_for_nobody_is_named() -> None:
    lonely = replace(VOICE, tone_of={"upset": ("plain",), "happy": ("warm",), "active": ("warm",)})
    ((path, words),) = spoken(lonely, **said(title="Sorry", tone="sorry"))
    assert path == "treatments.app_home.tone"
    assert words.startswith("has a tone, but no mood and no journey stage has it")
    ((path, words),) = spoken(replace(lonely, tone=None), **said())
    assert (path, words.split(" no mood")[0]) == ("treatments.app_home.tone", "names no tone, and")
    policy = worlds.policy(voice=lonely, journey=(Stage(stage="lapsed"),))
    assert faults(worlds.catalog(worlds.action(**said(title="Sorry", tone="sorry"))), policy, worlds.index())[0][1] == (
        "voice",
        "tone_of",
        "active",
    )


def test_a_partner_of_a_brand_that_discloses_none_is_a_fault_of_the_action() -> None:
    ((path, words),) = spoken(replace(VOICE, partner_disclosure="", partner_disclosure_in={}), partner="Hill Farm", **said())
    assert path == "partner"
    assert "add voice.partner_disclosure to brand.yaml" in words


def test_what_a_touchpoint_says_by_itself_is_in_the_brands_voice_too() -> None:
    translated = {"es": Message(title="Guaranteed", body="{x}"), "spanish": Message(title="Hola", body="")}
    place = worlds.touchpoint(default=Text(title="Hurry", body="Guaranteed {first_name|fresh}", locales=translated))
    told = faults(worlds.catalog(touchpoints=(place, worlds.email())), worlds.policy(voice=VOICE), worlds.index())
    assert [(part, ".".join(path)) for part, path, _ in told] == [
        ("touchpoints", "app_home.default.locales.spanish"),
        ("touchpoints", "app_home.default.title"),
        ("touchpoints", "app_home.default.body"),
        ("touchpoints", "app_home.default.locales.es.body"),
        ("touchpoints", "app_home.default.locales.es.title"),
    ]
