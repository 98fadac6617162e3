"""Whether the brand's voice makes sense by itself: tones and stages that exist, and words that can be looked for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields

from decisioning import messages
from decisioning.known_names import Fault, Known, unknown
from decisioning.locales import is_tag
from decisioning.policy import Policy
from decisioning.voice import Limits, Voice
from decisioning.words import has_words

_Told = Iterator[tuple[tuple[str, ...], str]]
_TAG_CURE = "is no locale; write a language and perhaps a region, such as es or es-US"


def voice_faults(policy: Policy, known: Known) -> Iterator[Fault]:
    """The faults of what brand.yaml says of texts: its locale, its currency and its voice."""
    if not is_tag(policy.locale):
        yield "brand", ("locale",), f"{policy.locale!r} {_TAG_CURE}"
    if re.fullmatch(r"[A-Z]{3}", policy.currency) is None:
        yield "brand", ("currency",), f"{policy.currency!r} is no currency; write its three letters, such as USD"
    voice = policy.voice
    for part in (_words(voice), _limits(voice, known), _tones(voice, known), _disclosures(voice)):
        yield from (("brand", ("voice", *path), cause) for path, cause in part)


def locale_faults(tags: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Each tag that is no locale, with its cause and cure."""
    yield from ((tag, f"{tag!r} {_TAG_CURE}") for tag in tags if not is_tag(tag))


def _words(voice: Voice) -> _Told:
    lists: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("forbidden",), voice.forbidden),
        (("urgency",), voice.urgency),
        (("abbreviations",), voice.abbreviations),
    ]
    for name, tone in voice.tones.items():
        lists += [(("tones", name, "must_say"), tone.must_say), (("tones", name, "never_says"), tone.never_says)]
    for path, phrases in lists:
        for at, phrase in enumerate(phrases):
            if not has_words(phrase):
                yield (*path, str(at)), f"{phrase!r} has neither letters nor figures to look for; write a word, or leave it out"


def _limits(voice: Voice, known: Known) -> _Told:
    written: list[tuple[tuple[str, ...], Limits]] = [(("limits",), voice.limits)]
    written += [(("limits_on", channel), limits) for channel, limits in voice.limits_on.items()]
    written += [(("tones", name), tone) for name, tone in voice.tones.items()]
    for path, limits in written:
        for key in (one.name for one in fields(Limits)):
            most = getattr(limits, key)
            least = 1 if key == "title_characters" else 0
            if most is not None and most < least:
                yield (*path, key), f"is below {least}; use {least} or more, or leave it out"
    for channel in voice.limits_on:
        yield from ((("limits_on", channel), fault) for fault in unknown("channel", channel, known.channels))


def _tones(voice: Voice, known: Known) -> _Told:
    if voice.tone is not None:
        yield from ((("tone",), fault) for fault in unknown("tone", voice.tone, voice.tones))
    for who, tones in voice.tone_of.items():
        path = ("tone_of", who)
        if known.stages is not None:
            whom = ["upset", "happy", *known.stages]
            yield from ((path, fault) for fault in unknown("mood or journey stage", who, whom))
        if not tones:
            yield path, "names no tone, so nothing could be said; name one, or leave the line out"
        for at, tone in enumerate(tones):
            yield from (((*path, str(at)), fault) for fault in unknown("tone", tone, voice.tones))


def _disclosures(voice: Voice) -> _Told:
    for tag, cause in locale_faults(voice.partner_disclosure_in):
        yield ("partner_disclosure_in", tag), cause
    written: list[tuple[tuple[str, ...], str]] = [(("partner_disclosure",), voice.partner_disclosure)]
    written += [(("partner_disclosure_in", tag), text) for tag, text in voice.partner_disclosure_in.items()]
    for path, text in written if any(text for _, text in written) else ():
        if messages.fields_of(text) != {"partner"}:
            yield path, f"{text!r} must name {{partner}}, and no other field; write for example Together with {{partner}}"
