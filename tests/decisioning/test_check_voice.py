"""A voice that contradicts itself is a fault of the brand, at its key."""

from typing import Any

import pytest

from decisioning.check import faults
from decisioning.voice import Limits, Tone, Voice
from tests import worlds

TONES = {"plain": Tone()}


def found(**changes: Any) -> list[tuple[str, str, str]]:
    told = faults(worlds.catalog(), worlds.policy(**changes), worlds.index())
    return [(part, ".".join(path), words) for part, path, words in told if part == "brand"]


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "locale": ({"locale": "english"}, "locale", "'english' is no locale"),
    "currency": ({"currency": "dollars"}, "currency", "'dollars' is no currency; write its three letters, such as USD"),
    "no word": ({"voice": Voice(forbidden=("fresh", "..."))}, "voice.forbidden.1", "'...' has neither letters nor figures"),
    "no pressing word": ({"voice": Voice(urgency=("",))}, "voice.urgency.0", "has neither letters nor figures"),
    "no word of a tone": (
        {"voice": Voice(tones={"plain": Tone(must_say=("!",))})},
        "voice.tones.plain.must_say.0",
        "has neither letters nor figures",
    ),
    "limit": ({"voice": Voice(limits=Limits(exclamation_marks=-1))}, "voice.limits.exclamation_marks", "is below 0"),
    "no title": ({"voice": Voice(limits=Limits(title_characters=0))}, "voice.limits.title_characters", "is below 1"),
    "limit of a tone": (
        {"voice": Voice(tones={"plain": Tone(body_characters=-1)})},
        "voice.tones.plain.body_characters",
        "is below 0",
    ),
    "channel": (
        {"voice": Voice(limits_on={"pigeon": Limits()})},
        "voice.limits_on.pigeon",
        "unknown channel 'pigeon'; the known ones are app, email",
    ),
    "usual tone": ({"voice": Voice(tones=TONES, tone="warm")}, "voice.tone", "unknown tone 'warm'; the known ones are plain"),
    "tone of a mood": (
        {"voice": Voice(tones=TONES, tone="plain", tone_of={"upset": ("plain", "sorry")})},
        "voice.tone_of.upset.1",
        "unknown tone 'sorry'",
    ),
    "whose tone": (
        {"voice": Voice(tones=TONES, tone_of={"loyl": ("plain",)})},
        "voice.tone_of.loyl",
        "unknown mood or journey stage 'loyl'; the known ones are active, happy, upset",
    ),
    "no tone": ({"voice": Voice(tones=TONES, tone_of={"happy": ()})}, "voice.tone_of.happy", "names no tone"),
    "disclosure": (
        {"voice": Voice(partner_disclosure="With a partner")},
        "voice.partner_disclosure",
        "must name {partner}",
    ),
    "disclosure of more": (
        {"voice": Voice(partner_disclosure="With {partner}, {first_name|you}")},
        "voice.partner_disclosure",
        "and no other field",
    ),
    "translation": (
        {"voice": Voice(partner_disclosure="With {partner}", partner_disclosure_in={"es": "Con un socio"})},
        "voice.partner_disclosure_in.es",
        "must name {partner}",
    ),
    "translation of nothing": (
        {"voice": Voice(partner_disclosure_in={"es": "Con {partner}"})},
        "voice.partner_disclosure",
        "must name {partner}",
    ),
    "its locale": (
        {"voice": Voice(partner_disclosure="With {partner}", partner_disclosure_in={"ES": "Con {partner}"})},
        "voice.partner_disclosure_in.ES",
        "'ES' is no locale",
    ),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_a_fault_of_the_voice_is_named_at_its_key(case: tuple[dict[str, Any], str, str]) -> None:
    changes, path, words = case
    ((part, where, told),) = found(**changes)
    assert (part, where) == ("brand", path)
    assert words in told


def test_a_brand_that_says_nothing_of_its_voice_has_no_fault() -> None:
    assert found(voice=Voice()) == []
