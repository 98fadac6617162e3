"""What is asked of Redis for many customers at once: one call and one answer for thousands, instead of one each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

_AT_ONCE = 2_000
_SCANNED = 10_000

# KEYS are customers' hashes; ARGV how many views, their names, then each customer's rows in that order, empty for none
_FILL = """
local count = tonumber(ARGV[1])
for customer = 1, #KEYS do
  local fields = {}
  for view = 1, count do
    local row = ARGV[1 + customer * count + view]
    if row ~= '' then
      fields[#fields + 1] = ARGV[1 + view]
      fields[#fields + 1] = row
    end
  end
  redis.call('HSET', KEYS[customer], unpack(fields))
end
"""

# ARGV are where the scan stands, the pattern of keys, how many to look at, the field; answers where it stands now and the count
_COUNT = """
local found = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
local held = 0
for _, key in ipairs(found[2]) do
  held = held + redis.call('HEXISTS', key, ARGV[4])
end
return {found[1], held}
"""

# ARGV as above, but for the field the generation that stays; answers where the scan stands now
_SWEEP = """
local found = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
for _, key in ipairs(found[2]) do
  if tonumber(string.match(key, '^[^:]*:(%d+):')) < tonumber(ARGV[4]) then
    redis.call('UNLINK', key)
  end
end
return found[1]
"""


def fill(client: Any, prefix: bytes, rows: Mapping[str, tuple[Sequence[str], Sequence[bytes]]]) -> Iterator[int]:
    """Write rows, by view (customers, blobs) of equal length, into hashes named by `prefix` and customer.

    Says how many customers each call wrote.
    """
    script = client.register_script(_FILL)
    views = [view for view, (customers, _) in rows.items() if customers]
    head = (len(views), *views)
    for customers, blobs in _by_customer([rows[view] for view in views]):
        script(
            keys=[prefix + customer.encode() for customer in customers],
            args=(*head, *(blob for some in blobs for blob in some)),
        )
        yield len(customers)


def count(client: Any, keys: bytes, field: str) -> int:
    """How many hashes whose key has the pattern `keys` hold the field."""
    script = client.register_script(_COUNT)
    at, held = 0, 0
    while True:
        stands, more = script(args=(at, keys, _SCANNED, field))
        at, held = int(stands), held + int(more)
        if not at:
            return held


def sweep(client: Any, keys: bytes, before: int) -> None:
    """Forget the hashes whose key has the pattern `keys` (NAME:GENERATION:CUSTOMER) and an earlier generation."""
    script, at = client.register_script(_SWEEP), 0
    while at := int(script(args=(at, keys, _SCANNED, before))):
        pass


def _by_customer(
    views: Sequence[tuple[Sequence[str], Sequence[bytes]]],
) -> Iterator[tuple[Sequence[str], Iterable[Sequence[bytes]]]]:
    """Customers, some at a time, and for each of them the rows of the views."""
    everyone = list(views[0][0]) if views else []
    if any(list(customers) != everyone for customers, _ in views):
        everyone = list(dict.fromkeys(chain.from_iterable(customers for customers, _ in views)))
    told = [
        blobs if list(customers) == everyone else _placed(everyone, dict(zip(customers, blobs, strict=True)))
        for customers, blobs in views
    ]
    along = zip(*told, strict=True)
    for start in range(0, len(everyone), _AT_ONCE):
        yield everyone[start : start + _AT_ONCE], islice(along, _AT_ONCE)


def _placed(customers: Sequence[str], blobs: Mapping[str, bytes]) -> Iterator[bytes]:
    return (blobs.get(customer, b"") for customer in customers)
