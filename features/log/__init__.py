"""The log is the truth: versioned records, appended durably, with the exact state they imply in the same transaction."""

from features.log.append import Log
from features.log.erase import Receipt
from features.log.faults import Conflict, LogUnavailable
from features.log.identity import Identity, identity_record
from features.log.pending import Pending
from features.log.records import AHEAD, EARLIEST, Record
from features.log.state import StateRules

__all__ = [
    "AHEAD",
    "EARLIEST",
    "Conflict",
    "Identity",
    "Log",
    "LogUnavailable",
    "Pending",
    "Receipt",
    "Record",
    "StateRules",
    "identity_record",
]
