"""Vowpal Wabbit's decision-service JSON, a line a choice: `vw --dsjson --cb_explore_adf -d FILE` learns from it.

The cost of a success is -1, of anything else 0. Nothing is an action of its own, `nothing`. The features of the shared
namespaces are the customer's and the place's, those of `action` the action's.
See https://github.com/VowpalWabbit/vowpal_wabbit/wiki/DSJSON.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from decisioning.catalog import Action
from features.exports.choices import Choice
from features.exports.pseudonyms import Ids
from features.exports.whole import whole_file


def write(choices: Iterable[Choice], out: Path, *, ids: Ids) -> int:
    """How many lines were written."""
    lines, encoder = 0, msgspec.json.Encoder()
    with whole_file(out) as place, place.open("wb") as file:
        for choice in choices:
            file.write(encoder.encode(line(choice, ids=ids)) + b"\n")
            lines += 1
    return lines


def line(choice: Choice, *, ids: Ids) -> dict[str, Any]:
    """One choice. Labels come first: the parser must know them before it meets the actions."""
    probabilities = choice.probabilities.tolist()
    # what was chosen stands first, as in the logs of the decision service; actions count from 1
    order = [choice.chosen, *(at for at in range(len(probabilities)) if at != choice.chosen)]
    index = choice.rulebook.index
    customer = {
        name: index[name].labels[int(value)] if index[name].labels else value
        for name, value in choice.profile.items()
        if not np.isnan(value)
    }
    return {
        "_label_cost": -choice.reward,
        "_label_probability": probabilities[choice.chosen],
        "_label_Action": choice.chosen + 1,
        "_labelIndex": choice.chosen,
        "Timestamp": f"{choice.record.event_time:%Y-%m-%dT%H:%M:%S.%f}Z",
        "Version": "1",
        "EventId": ids(choice.record.message_id),
        "a": [at + 1 for at in order],
        "c": {
            "customer": {key: customer[key] for key in sorted(customer)},
            "place": {"touchpoint": choice.touchpoint.name, "journey_stage": choice.stage},
            "_multi": [*({"action": _features(action)} for action in choice.actions), {"action": {"name": "nothing"}}],
        },
        "p": [probabilities[at] for at in order],
        "VWState": {"m": "N/A"},
    }


def _features(action: Action) -> dict[str, Any]:
    topics = {f"topic_{topic}": 1 for topic in action.topics}
    declared = {f"feature_{name}": value for name, value in action.response.features.items()}
    return {"name": action.name, "group": action.group, "job": action.job, "value": action.value, **topics, **declared}
