"""The keys of personal payloads: one a customer, wrapped by the workspace's master key. Without its key a payload is noise.

AES-256 in Galois/counter mode (NIST SP 800-38D) throughout, with a random nonce of 12 bytes in front of each ciphertext.
"""

import base64
import binascii
import hmac
import os
import secrets
import zlib
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from decisioning.errors import KairosError

VARIABLE = "KAIROS_MASTER_KEY"
FILE = "master.key"

_BYTES = 32
_NONCE = 12
_KEPT = 100_000
_LONG = 1_024
_DEFLATED = b"\x78"


class KeyFault(KairosError):
    """The master key is missing, malformed or another log's; or a payload does not open with the key it has."""


def master_key(folder: Path | None, *, is_new: bool) -> bytes:
    """The master key of KAIROS_MASTER_KEY, else of the folder's file `master.key`; 32 bytes in base64.

    Where neither is there a new log gets a new one, on disk before it returns; an old one raises KeyFault. A log without a
    folder lives in memory, and so does its key.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return _decoded(given, VARIABLE)
    if folder is None:
        return secrets.token_bytes(_BYTES)
    file = folder / FILE
    if not file.exists():
        if not is_new:
            raise KeyFault(f"{file}: the key that opens this log is missing; restore the file or set {VARIABLE}")
        _create(file)
    return _decoded(file.read_text(encoding="ascii", errors="replace"), str(file))


def fingerprint(master: bytes) -> str:
    """Tells whether it is the same master key, and nothing else of it."""
    return hmac.digest(master, b"kairos master key", "sha256").hex()


class Vault:
    """Wraps and unwraps customers' keys with one master key, and keeps the ciphers it has unwrapped."""

    def __init__(self, master: bytes) -> None:
        self._key = master
        self._master = AESGCM(master)
        self._ciphers: dict[int, AESGCM] = {}

    def anew(self) -> "Vault":
        """The same master key, and nothing kept: every key is unwrapped again."""
        return Vault(self._key)

    def new_key(self, customer_id: str) -> tuple[int, bytes]:
        """(owner, wrapped key). The owner is a random number that tells nothing of the customer and is never given again."""
        owner = secrets.randbelow(2**63 - 1) + 1
        nonce = os.urandom(_NONCE)
        return owner, nonce + self._master.encrypt(nonce, AESGCM.generate_key(256), _bound(customer_id, owner))

    def cipher(self, owner: int, customer_id: str, wrapped: bytes) -> AESGCM:
        """Raises KeyFault where the key was not wrapped for this customer by this master key."""
        cipher = self._ciphers.get(owner)
        if cipher is None:
            try:
                key = self._master.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _bound(customer_id, owner))
            except InvalidTag:
                raise KeyFault(f"the key of owner {owner} was damaged, or wrapped by another master key") from None
            if len(self._ciphers) >= _KEPT:
                self._ciphers.clear()
            cipher = self._ciphers[owner] = AESGCM(key)
        return cipher

    def seal(self, text: bytes, bound: str) -> bytes:
        """What no customer's key may seal, good for the place that `bound` names only."""
        nonce = os.urandom(_NONCE)
        return nonce + self._master.encrypt(nonce, text, bound.encode())

    def unseal(self, stored: bytes, bound: str) -> bytes:
        """Raises KeyFault where it is not what was sealed."""
        try:
            return self._master.decrypt(stored[:_NONCE], stored[_NONCE:], bound.encode())
        except (InvalidTag, ValueError):
            raise KeyFault(f"{bound!r} was damaged, or sealed by another master key") from None

    def forget(self, owner: int) -> None:
        self._ciphers.pop(owner, None)


def seal(cipher: AESGCM, nonce: bytes, payload: bytes, message_id: str) -> bytes:
    """A payload, which is JSON, as it is stored, good for the record of this message id only. Long ones are deflated."""
    if len(payload) > _LONG:
        payload = zlib.compress(payload, level=6)
    return nonce + cipher.encrypt(nonce, payload, message_id.encode())


def unseal(cipher: AESGCM, stored: bytes, message_id: str) -> bytes:
    """Raises KeyFault where it is not what was sealed."""
    try:
        payload = cipher.decrypt(stored[:_NONCE], stored[_NONCE:], message_id.encode())
    except (InvalidTag, ValueError):
        raise KeyFault(f"the payload of {message_id!r} does not open with its customer's key") from None
    # no JSON begins as zlib's format does (RFC 1950)
    return zlib.decompress(payload) if payload[:1] == _DEFLATED else payload


def nonces(count: int) -> list[bytes]:
    drawn = os.urandom(_NONCE * count)
    return [drawn[at : at + _NONCE] for at in range(0, len(drawn), _NONCE)]


def _bound(customer_id: str, owner: int) -> bytes:
    return f"{owner} {customer_id}".encode()


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _BYTES:
        raise KeyFault(f"{where}: not a master key; give {_BYTES} random bytes in base64 ('openssl rand -base64 {_BYTES}')")
    return key


def _create(file: Path) -> None:
    """Whole or not at all, for its owner only; of several processes that begin at once one makes it."""
    partial = file.with_name(f".{file.name}-{os.getpid()}-{secrets.token_hex(4)}")
    opened = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(opened, base64.b64encode(secrets.token_bytes(_BYTES)) + b"\n")
        os.fsync(opened)
        try:
            os.link(partial, file)
        except FileExistsError:
            return
    finally:
        os.close(opened)
        partial.unlink()
    folder = os.open(file.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
