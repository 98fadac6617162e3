"""What is wrong with a field and how to cure it, in words for the person who wrote the call."""

from collections.abc import Mapping
from typing import Any

_TIME = 'is no time; write it with its offset from UTC, as in "2018-01-01T09:00:00Z"'

_CAUSES: Mapping[str, str] = {
    "missing": "is missing; give it",
    "extra_forbidden": "is no field of this call; leave it out, or check its spelling",
    "json_invalid": "is no JSON here ({error}); the field's number is how many characters of it were read",
    "string_type": 'is no text; write it in quotes, as in "1029"',
    "string_unicode": "is no text that can be written down: it has half of a character of two halves; leave that out",
    "string_pattern_mismatch": "has a control character, such as a line break; leave it out",
    "string_too_short": "is empty; give it",
    "string_too_long": "is longer than {max_length} characters; shorten it",
    "too_short": "is empty; give one or more",
    "too_long": "has more than {max_length}; leave some out",
    "greater_than_equal": "is below {ge}; give {ge} or more",
    "less_than_equal": "is above {le}; give {le} or less",
    "literal_error": "is none of {expected}",
    "bool_type": "is neither true nor false; write it so, without quotes",
    "bool_parsing": "is neither true nor false; write it so, without quotes",
    "model_attributes_type": "is no object; write its fields in braces",
    "dict_type": "is no object; write its fields in braces",
    "list_type": "is no list; write it in square brackets",
    "finite_number": "is no finite number; leave it out where nothing was measured",
    "int_from_float": "is no whole number; round it",
    "timezone_aware": _TIME,
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "datetime_object_invalid": _TIME,
}
"""By kind of fault; the others are told in the validator's own words."""


def cause(fault: Mapping[str, Any]) -> str:
    """The words for one fault that the validator found."""
    words = _CAUSES.get(fault["type"])
    if words is None:
        return str(fault["msg"]).removeprefix("Value error, ")
    return words.format_map(fault.get("ctx", {}))
