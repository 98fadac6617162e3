"""Keys: the master key's file and variable, and what opens with which key."""

import base64
import stat
from pathlib import Path

import pytest

from features.log import Log
from features.log.keys import FILE, VARIABLE, KeyFault, Vault, fingerprint, master_key, nonces, seal, unseal
from tests.log.writing import event, in_a_file

MASTER = bytes(range(32))


def vault_and_key(customer: str = "ada") -> tuple[Vault, int, bytes]:
    vault = Vault(MASTER)
    return vault, *vault.new_key(customer)


def test_a_new_log_makes_its_master_key_for_its_owner_only(tmp_path: Path) -> None:
    made = master_key(tmp_path, is_new=True)
    assert len(made) == 32
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [FILE]
    assert master_key(tmp_path, is_new=True) == master_key(tmp_path, is_new=False) == made


def test_the_variable_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, base64.b64encode(MASTER).decode())
    assert master_key(tmp_path, is_new=True) == MASTER
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", ["short", "!", base64.b64encode(b"31 bytes are one too few here..").decode(), "Zoë"])
def test_a_malformed_master_key_is_refused_with_the_cure(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE).write_text(given, encoding="utf-8")
    with pytest.raises(KeyFault, match="openssl rand"):
        master_key(tmp_path, is_new=False)
    monkeypatch.setenv(VARIABLE, given)
    with pytest.raises(KeyFault, match=VARIABLE):
        master_key(tmp_path, is_new=False)


@in_a_file
def test_a_log_whose_master_key_is_lost_is_refused_and_gets_no_new_one(log: Log, url: str, tmp_path: Path) -> None:
    log.append([event("A")])
    (tmp_path / FILE).rename(tmp_path / "kept.key")
    with pytest.raises(KeyFault, match="restore the file"):
        Log(url)
    assert not (tmp_path / FILE).exists()
    (tmp_path / "kept.key").rename(tmp_path / FILE)
    again = Log(url)
    assert [record.body["event"] for record in again.read()] == ["A"]
    again.close()


def test_a_log_is_not_opened_with_another_master_key(log: Log, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, base64.b64encode(MASTER).decode())
    with pytest.raises(KeyFault, match="not the one that this log was written with"):
        Log(url)


def test_a_fingerprint_tells_keys_apart_and_not_the_key() -> None:
    assert fingerprint(MASTER) == fingerprint(bytes(range(32))) != fingerprint(bytes(32))
    assert MASTER.hex() not in fingerprint(MASTER)


def test_a_key_is_wrapped_for_one_customer_by_one_master_key() -> None:
    _, owner, wrapped = vault_and_key()
    for vault, of, customer in [
        (Vault(bytes(32)), owner, "ada"),
        (Vault(MASTER), owner, "bob"),
        (Vault(MASTER), owner + 1, "ada"),
    ]:
        with pytest.raises(KeyFault):
            vault.cipher(of, customer, wrapped)


def test_a_payload_opens_for_its_own_message_and_with_its_own_key_only() -> None:
    vault, owner, wrapped = vault_and_key()
    cipher = vault.cipher(owner, "ada", wrapped)
    stored = seal(cipher, nonces(1)[0], b"secret", "m1")
    assert unseal(cipher, stored, "m1") == b"secret"
    assert b"secret" not in stored
    other = vault.cipher(*(made := vault.new_key("bob"))[:1], "bob", made[1])
    for key, bytes_, message in [
        (cipher, stored, "m2"),
        (other, stored, "m1"),
        (cipher, stored[:-1], "m1"),
        (cipher, b"", "m1"),
    ]:
        with pytest.raises(KeyFault):
            unseal(key, bytes_, message)


def test_what_the_master_key_seals_opens_with_it_at_its_place_only() -> None:
    stored = Vault(MASTER).seal(b"secret", "here")
    assert Vault(MASTER).unseal(stored, "here") == b"secret"
    assert b"secret" not in stored
    for vault, bytes_, place in [
        (Vault(bytes(32)), stored, "here"),
        (Vault(MASTER), stored, "there"),
        (Vault(MASTER), b"", "here"),
    ]:
        with pytest.raises(KeyFault):
            vault.unseal(bytes_, place)


def test_no_nonce_and_no_owner_comes_twice() -> None:
    assert len(set(nonces(1_000))) == 1_000
    vault = Vault(MASTER)
    owners = {vault.new_key("ada")[0] for _ in range(1_000)}
    assert len(owners) == 1_000
    assert min(owners) > 0 and max(owners) < 2**63
