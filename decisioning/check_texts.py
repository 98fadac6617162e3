"""Whether every text is well formed and in the brand's voice, in every locale, and there is one for whom it must reach."""

from collections.abc import Iterator, Sequence
from itertools import product

from decisioning import messages, words
from decisioning.catalog import Action, Catalog, Touchpoint, Treatment
from decisioning.check_voice import locale_faults
from decisioning.domain import Job, Message
from decisioning.known_names import Fault, Known, unknown
from decisioning.locales import nearest
from decisioning.policy import Policy
from decisioning.voice import MOODS, Limits, Tone, Voice, fits

_Told = Iterator[tuple[tuple[str, ...], str]]
FOR_THE_UPSET: frozenset[Job] = frozenset({"recover", "serve", "retain"})
"""The jobs that somebody upset needs most: they must have words for them."""


def text_faults(catalog: Catalog, policy: Policy, known: Known) -> Iterator[Fault]:
    voice = policy.voice
    for name, touchpoint in catalog.touchpoints.items():
        for path, cause in _default_faults(touchpoint, voice):
            yield "touchpoints", (name, "default", *path), cause
    for action in catalog.actions:
        if action.partner and "brand" not in known.unread and not voice.partner_disclosure:
            missing = "has a partner, of whom customers are to know; add voice.partner_disclosure to brand.yaml"
            yield "catalog", ("actions", action.name, "partner"), missing
        for name, treatments in action.treatments.items():
            place, path = catalog.touchpoints.get(name), ("actions", action.name, "treatments", name)
            for at, treatment in enumerate(treatments):
                of_one = (*path, str(at)) if len(treatments) > 1 else path
                for more, cause in _treatment_faults(treatment, action, place, voice, known):
                    yield "catalog", (*of_one, *more), cause
                yield from (("catalog", (*of_one, "tone"), cause) for cause in _silent(treatment, voice, known))
            if treatments and not {"brand", "catalog"} & set(known.unread) and place is not None and action.job in place.jobs:
                yield from (("catalog", path, cause) for cause in _unreached(action, treatments, voice, known))


def _default_faults(touchpoint: Touchpoint, voice: Voice) -> _Told:
    if touchpoint.default is None:
        return
    yield from ((("locales", tag), cause) for tag, cause in locale_faults(touchpoint.default.locales))
    for tag, message in touchpoint.default.messages:
        said = (*messages.faults(message), *_spoken(message, voice, None, touchpoint, {}))
        yield from (((*_of(tag), part), cause) for part, cause in said)


def _treatment_faults(treatment: Treatment, action: Action, place: Touchpoint | None, voice: Voice, known: Known) -> _Told:
    if treatment.tone is not None:
        yield from ((("tone",), fault) for fault in unknown("tone", treatment.tone, known.tones))
    yield from ((("locales", tag), cause) for tag, cause in locale_faults(treatment.locales))
    values = {"partner": action.partner} if action.partner else {}
    if action.gives > 0:
        values["gives"] = messages.money(action.gives, "")
    always = messages.always_known(action)
    if "catalog" in known.unread:  # of which partner it is, and what it gives, may be what cannot be read
        always |= {"partner", "gives"}
    for tag, message in treatment.messages:
        said = [
            *messages.faults(message, known=always),
            *_spoken(message, voice, treatment.tone or voice.tone, place, values),
            *_undisclosed(message, voice, tag, values),
        ]
        yield from (((*_of(tag), *([part] if part else [])), cause) for part, cause in said)


def _of(tag: str | None) -> tuple[str, ...]:
    """The path to the words in a locale; None is the brand's own."""
    return () if tag is None else ("locales", tag)


def _spoken(
    message: Message, voice: Voice, tone_name: str | None, place: Touchpoint | None, values: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """What is against the voice, by the part of the message; an empty part means all of it."""
    tone = voice.tones.get(tone_name or "", Tone())
    texts = {part: messages.with_fallbacks(getattr(message, part), values) for part in messages.PARTS}
    for part, text in texts.items():
        for phrase in voice.forbidden:
            if words.says(text, phrase):
                yield part, f"says {phrase!r}, which the brand never claims; say what is true without it"
        for phrase in voice.urgency:
            if words.says(text, phrase):
                yield part, f"says {phrase!r}, which presses for time; say until when it holds"
        for phrase in tone.never_says:
            if words.says(text, phrase):
                yield part, f"says {phrase!r}, which the tone {tone_name!r} never says; use other words or another tone"
    if tone.must_say and not any(words.says(text, phrase) for phrase in tone.must_say for text in texts.values()):
        wanted = ", ".join(tone.must_say)
        yield "", f"the tone {tone_name!r} must say one of: {wanted}; add one, or use another tone"
    if place is not None:
        yield from _too_much(texts, voice, tone, place, names=values.get("partner", "").split())


def _too_much(
    texts: dict[str, str], voice: Voice, tone: Tone, place: Touchpoint, *, names: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """What is longer or louder than the limits; `names` may stand in capitals."""
    own = voice.limits_on.get(place.channel, Limits())
    for part, text in texts.items():
        most = _most(f"{part}_characters", voice.limits, own, tone)
        if most is not None and len(text) > most:
            yield part, f"has {len(text)} characters with its fallbacks, at most {most} are allowed here; shorten it"
    most = _most("exclamation_marks", voice.limits, own, tone)
    marked = {part: marks for part, text in texts.items() if (marks := words.exclamation_marks(text))}
    if most is not None and (found := sum(marked.values())) > max(most, 0):
        told = f"{found} exclamation mark{'s' if found > 1 else ''}, at most {most} allowed here; end with a full stop"
        yield list(marked)[-1], f"the message has {told}"
    most = _most("capital_words", voice.limits, own, tone)
    but = (*voice.abbreviations, *names)
    shouted = [(part, word) for part, text in texts.items() for word in words.capital_words(text, but=but)]
    if most is not None and len(shouted) > max(most, 0):
        told = ", ".join(dict.fromkeys(word for _, word in shouted))
        yield shouted[-1][0], f"the message shouts {told}; write it small, or name it under voice.abbreviations in brand.yaml"


def _most(key: str, everywhere: Limits, on_channel: Limits, tone: Tone) -> int | None:
    own = getattr(on_channel, key)
    limits = (getattr(everywhere, key) if own is None else own, getattr(tone, key))
    return min((one for one in limits if one is not None), default=None)


def _undisclosed(message: Message, voice: Voice, tag: str | None, values: dict[str, str]) -> Iterator[tuple[str, str]]:
    if "partner" not in values or not voice.partner_disclosure:
        return
    translated = nearest(tag, voice.partner_disclosure_in)
    wanted = voice.partner_disclosure if translated is None else voice.partner_disclosure_in[translated]
    sentence = messages.with_fallbacks(wanted, values)
    if not any(words.says(messages.with_fallbacks(getattr(message, part), values), sentence) for part in messages.PARTS):
        translation = (
            "" if tag is None or translated else f" (or translate it: voice.partner_disclosure_in.{tag} in brand.yaml)"
        )
        yield "", f"does not say {wanted!r}, and the action has a partner; add the sentence{translation}"


def _silent(treatment: Treatment, voice: Voice, known: Known) -> Iterator[str]:
    """A text that nobody could ever see."""
    if known.stages is None or known.tones is None or "brand" in known.unread:
        return
    if treatment.tone not in known.tones if treatment.tone is not None else "catalog" in known.unread:
        return
    if not any(fits((treatment,), voice, stage=stage, mood=mood) for stage, mood in product(known.stages, MOODS)):
        told = "names no tone, and" if (treatment.tone or voice.tone) is None else "has a tone, but"
        yield f"{told} no mood and no journey stage has it under voice.tone_of in brand.yaml; use one that is listed there"


def _unreached(action: Action, treatments: tuple[Treatment, ...], voice: Voice, known: Known) -> Iterator[str]:
    """Customers whom the action must reach and has no words for."""
    needed = action.mandatory or action.job in FOR_THE_UPSET
    if needed and "upset" in voice.tone_of and not fits(treatments, voice, stage="", mood="upset"):
        yield f"has no words for an upset customer; add a treatment in the tone {' or '.join(voice.tone_of['upset'])}"
    for stage, mood in product(known.stages or () if action.mandatory else (), ("happy", "usual")):
        if not fits(treatments, voice, stage=stage, mood=mood):  # type: ignore[arg-type]
            yield f"is mandatory and has no words for a customer who is {stage} and {mood}; add a treatment in a fitting tone"
