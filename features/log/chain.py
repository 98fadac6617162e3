"""The chain: every record's hash covers its envelope, its stored payload and the hash of its writer's record before it."""

import struct
from hashlib import sha256

BEGINNING = bytes(32)
"""What the first record of a writer follows."""

_ENVELOPE = struct.Struct(">qqqqIIII")


def link(
    previous: bytes,
    sequence: int,
    message_id: str,
    kind: str,
    version: int,
    owner: int | None,
    event_us: int,
    known_us: int,
    writer: str,
    payload: bytes,
) -> bytes:
    """SHA-256 (32 bytes) of a record that follows `previous`. `payload` is as stored: the chain verifies without any key.

    The form is fixed for ever: eight big-endian numbers (the last four are the version and the lengths of the three texts
    in UTF-8), message id, kind, writer, and the SHA-256 of the payload. An owner is never 0, which stands for none.
    """
    texts = (message_id.encode(), kind.encode(), writer.encode())
    envelope = _ENVELOPE.pack(sequence, event_us, known_us, owner or 0, version, *map(len, texts))
    return sha256(b"".join((previous, envelope, *texts, sha256(payload).digest()))).digest()
