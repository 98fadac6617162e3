"""A customer's own words are felt as they are taken in, and folded by what their record keeps."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from decisioning.emotion import Feeling, Signal
from features import text_emotion
from features.hearing import CurrentReading, Hearing
from features.log import Log, Record, StateRules
from features.log.forms import recorded
from features.messages import records_of
from tests.worlds import NOW

WORDS = {"Satisfaction Rated": "comment", "Chat Said": "text", "Complaint Opened": "text"}
RULES = StateRules(
    words=WORDS,
    signals={
        "Satisfaction Rated": Signal(rating="rating"),
        "Complaint Opened": Signal(complaint="opened", emotion=Feeling(valence=-0.6, intensity=0.6)),
    },
)
ANGRY, GLAD = "This is terrible, I am very angry!", "I love it, thank you, great service!"


def event(name: str, message_id: str = "m1", **properties: object) -> Record:
    said = {"type": "track", "event": name, "messageId": message_id, "userId": "anna", "properties": properties}
    return records_of(said, at=NOW, known=NOW)[0]


@pytest.fixture
def hear(tmp_path: Path) -> Hearing:
    return Hearing(WORDS, CurrentReading(tmp_path / "models"))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(f"sqlite:///{tmp_path / 'log.db'}", RULES)


def told(log: Log, records: Sequence[Record]) -> Feeling | None:
    log.append(records)
    felt = log.state("anna")[0].emotion
    return None if felt is None else Feeling(valence=felt.valence, intensity=felt.intensity, confidence=felt.confidence)


def test_words_are_felt_and_the_record_keeps_the_feeling_and_what_read_it(hear: Hearing, log: Log):
    [heard] = hear([event("Chat Said", text=ANGRY)])

    assert heard.body["felt"]["by"] == text_emotion.NAME
    assert heard.body["properties"]["text"] == ANGRY
    assert told(log, [heard]) == text_emotion.feeling(ANGRY)


def test_a_rating_of_the_same_event_wins_over_its_words(hear: Hearing, log: Log):
    assert told(log, hear([event("Satisfaction Rated", rating=5, comment=ANGRY)])) == Feeling(valence=1.0, intensity=1.0)


def test_words_count_where_the_rating_is_missing(hear: Hearing, log: Log):
    assert told(log, hear([event("Satisfaction Rated", comment=ANGRY)])) == text_emotion.feeling(ANGRY)


def test_friendly_words_do_not_hide_what_the_event_itself_says(hear: Hearing, log: Log):
    log.append(hear([event("Complaint Opened", text=GLAD)]))
    state, _ = log.state("anna")

    assert {one.valence for one in (state.emotion, *state.unhealed) if one} == {-0.6, text_emotion.feeling(GLAD).valence}


@pytest.mark.parametrize("properties", [{}, {"text": 7}, {"text": "  "}, {"text": ["bad"]}, {"comment": ANGRY}])
def test_what_holds_no_words_of_feeling_is_left_as_it_is(hear: Hearing, properties: dict[str, object]):
    record = event("Chat Said", **properties)
    assert hear([record]) == [record]


def test_an_event_that_is_not_declared_is_not_read(hear: Hearing, log: Log):
    assert told(log, hear([event("Page Viewed", text=ANGRY)])) is None


def test_a_sender_cannot_say_what_was_felt(hear: Hearing, log: Log):
    said = {"type": "track", "event": "Chat Said", "messageId": "m1", "userId": "anna", "properties": {}}
    felt = {"valence": 1.0, "intensity": 1.0, "confidence": 1.0, "by": "me", "of": "text"}

    assert told(log, hear(records_of(said | {"felt": felt}, at=NOW, known=NOW))) is None


def test_of_a_note_only_what_the_customer_said_is_felt(hear: Hearing, log: Log):
    body = {"customer_id": "anna", "by": "Kim", "text": "A horrible, annoying customer."}
    mine = recorded("note", body, message_id="n1", at=None, now=NOW)
    theirs = recorded("note", body | {"customer_said": GLAD}, message_id="n2", at=None, now=NOW)

    assert told(log, hear([mine])) is None
    assert told(log, hear([theirs])) == text_emotion.feeling(GLAD)


def test_states_are_folded_from_what_was_written_whatever_reads_now(hear: Hearing, log: Log, tmp_path: Path):
    otherwise = Hearing(WORDS, lambda: ("other", lambda text: Feeling(valence=0.9, intensity=0.9)))
    log.append(hear([event("Chat Said", "m1", text=ANGRY)]))
    before = log.state("anna")[0].emotion
    log.append(otherwise([event("Chat Said", "m2", text="hello")]))

    log.follow(replace(RULES, channels={"app": "mobile"}))  # all states are folded anew
    state = log.state("anna")[0]

    assert before in (state.emotion, *state.unhealed)
    assert {round(one.valence, 1) for one in (state.emotion, *state.unhealed) if one} == {0.9, round(before.valence, 1)}
    assert log.verify().fault is None


def test_words_that_a_brand_no_longer_declares_stop_counting(hear: Hearing, log: Log):
    log.append(hear([event("Chat Said", text=ANGRY)]))
    log.follow(replace(RULES, words={}))

    assert log.state("anna")[0].emotion is None


def test_a_record_of_before_words_were_read_says_nothing(log: Log):
    assert told(log, [event("Chat Said", text=ANGRY)]) is None


@pytest.mark.parametrize(
    "felt", ["good", 7, [], {}, {"of": "text"}, {"of": "text", "valence": 9, "intensity": 1, "confidence": 1}]
)
def test_what_a_sender_called_felt_in_an_older_record_says_nothing(log: Log, felt: object):
    record = event("Chat Said", text=ANGRY)
    old = replace(record, payload=msgspec.json.encode({**record.body, "felt": felt}))

    assert told(log, [old]) is None


def test_the_words_and_the_feeling_lie_in_the_log_encrypted_only(hear: Hearing, log: Log, tmp_path: Path):
    log.append(hear([event("Chat Said", text=ANGRY)]))
    log.close()
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.name.startswith("log.db"))

    assert b"very angry" not in stored
    assert text_emotion.NAME.encode() not in stored
