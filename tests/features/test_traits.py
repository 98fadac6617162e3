import json
from hashlib import sha256

import pytest

from features.entries import Match
from features.join import ALWAYS, NEVER, Link
from features.known import Known
from features.traits import ids, told

EMAIL, HASHED = Match(trait="email"), Match(trait="email", hash="sha256")


def _columns(*said: tuple[str | None, int, object]) -> dict[str, list[object]]:
    bodies = [
        body if isinstance(body, bytes) else json.dumps({"type": "identify", "traits": body}).encode() for *_, body in said
    ]
    return {"customer_id": [who for who, *_ in said], "known_us": [at for _, at, _ in said], "payload": bodies}


def test_a_trait_holds_until_another_is_told() -> None:
    columns = _columns(("a", 1, {"email": "x"}), ("a", 5, {"name": "Ada"}), ("a", 9, {"email": "y"}), ("b", 2, {"email": "x"}))
    assert told(columns, [EMAIL], Known())[EMAIL].sort("customer_id", "start").rows() == [
        ("a", "x", 1, 9), ("a", "y", 9, NEVER), ("b", "x", 2, NEVER),
    ]  # fmt: skip


def test_a_trait_that_is_taken_back_is_nobodys_key() -> None:
    columns = _columns(("a", 1, {"email": "x"}), ("a", 2, {"email": None}))
    assert told(columns, [EMAIL], Known())[EMAIL].sort("start").rows() == [("a", "x", 1, 2), ("a", None, 2, NEVER)]


def test_of_what_is_told_at_once_the_last_counts() -> None:
    assert told(_columns(("a", 1, {"email": "x"}), ("a", 1, {"email": "y"})), [EMAIL], Known())[EMAIL].rows() == [
        ("a", "y", 1, NEVER)
    ]


def test_mail_addresses_are_hashed_as_they_are_agreed_to_be() -> None:
    key = told(_columns(("a", 1, {"email": " Ada@X.org "})), [HASHED], Known())[HASHED]["key"][0]
    assert key == sha256(b"ada@x.org").hexdigest()


@pytest.mark.parametrize("body", [b"identify{", b'["identify"]', b'{"type": "track", "event": "identify"}', "no object", None])
def test_what_is_no_identity_tells_nothing(body: object) -> None:
    assert told(_columns(("a", 1, body), (None, 2, {"email": "x"})), [EMAIL], Known())[EMAIL].height == 0


def test_what_was_told_under_any_id_is_the_customers_from_the_moment_the_ids_are_one() -> None:
    known = Known(
        [Link(source="anonymous:x", target="B", event_us=4, known_us=4), Link(source="b", target="B", event_us=6, known_us=6)]
    )
    columns = _columns(("anonymous:x", 1, {"email": "x"}), ("B", 2, {"email": "y"}), ("anonymous:x", 5, {"email": "z"}))
    assert sorted(told(columns, [EMAIL], known)[EMAIL].rows()) == [
        ("B", "y", 2, 4), ("B", "y", 4, 5), ("B", "z", 5, 6), ("B", "z", 6, NEVER), ("anonymous:x", "x", 1, 4),
    ]  # fmt: skip


def test_the_known_ids_of_a_customer_are_keys_while_they_are_one() -> None:
    known = Known(
        [Link(source="anonymous:x", target="B", event_us=4, known_us=4), Link(source="b", target="B", event_us=6, known_us=6)]
    )
    held = [row for row in ids(known).rows() if row[0] == "B"]
    assert sorted(held) == [("B", "B", ALWAYS, 4), ("B", "B", 4, 6), ("B", "B", 6, NEVER), ("B", "b", 6, NEVER)]
