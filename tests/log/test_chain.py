"""The chain, and what version 2 stored, read byte for byte."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from features.log.chain import BEGINNING, link
from features.log.keys import Vault, unseal

GOLDEN = json.loads((Path(__file__).parent / "golden" / "stored_v2.json").read_text(encoding="utf-8"))
ROW: dict[str, Any] = GOLDEN["row"] | {"payload": base64.b64decode(GOLDEN["row"]["payload"])}


def test_a_stored_record_of_version_2_has_the_hash_it_always_had() -> None:
    assert link(base64.b64decode(GOLDEN["previous"]), **ROW) == base64.b64decode(GOLDEN["hash"])


def test_a_stored_payload_of_version_2_opens() -> None:
    vault = Vault(base64.b64decode(GOLDEN["master"]))
    cipher = vault.cipher(ROW["owner"], GOLDEN["customer_id"], base64.b64decode(GOLDEN["wrapped"]))
    assert unseal(cipher, ROW["payload"], ROW["message_id"]).decode() == GOLDEN["opened"]


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 8},
        {"message_id": "m-u"},
        {"kind": "outcome"},
        {"version": 3},
        {"owner": None},
        {"event_us": 0},
        {"known_us": 0},
        {"writer": "other"},
        {"payload": ROW["payload"] + b"\0"},
        # what one text loses the next one gains
        {"message_id": "m-üe", "kind": "vent"},
    ],
    ids=lambda change: " ".join(change),
)
def test_whatever_changes_in_a_record_changes_its_hash(change: dict[str, Any]) -> None:
    assert link(BEGINNING, **ROW | change) != link(BEGINNING, **ROW)


def test_a_hash_covers_what_it_follows() -> None:
    assert link(BEGINNING, **ROW) != link(bytes([1]) * 32, **ROW)
