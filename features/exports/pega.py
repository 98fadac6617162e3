"""Pega's tables: the Explainability Extract, a row a candidate that passed, and the Interaction History, a row an outcome.

In the extract Priority = FinalPropensity x Value x ContextWeight x Weight, which are P, V, C and L, and pxRank is our rank in
the interaction. FinalPropensity is the expected increment of success, pyPropensity the response if treated before any
evidence. ModelControlGroup is Test, or Control for the random group; for the universal control group nothing competes, so
there is no row. The open `pdstools` reads both (`DecisionAnalyzer.from_explainability_extract`, `IH`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from decisioning.catalog import Catalog, Touchpoint
from decisioning.domain import Decision
from decisioning.errors import KairosError
from decisioning.rulebook import Rulebook
from features.exports.choices import BEFORE, IMPORTED, UNKNOWN
from features.exports.pseudonyms import Ids
from features.exports.tables import Columns, Row, beside, table
from features.log import Log, Record
from features.log.decisions import replayed, versions_of
from features.log.inputs import REPLAYED_SINCE, ReplayFault

RulebookOf = Callable[[str], Rulebook]
"""What a published version decides by."""

OTHERWISE = "decisions that could not be made again"
OUTCOMES = "outcomes of decisions that are not exported"

_EXTRACT: Columns = {
    "pySubjectID": str,
    "pxInteractionID": str,
    "pxDecisionTime": str,
    "pyIssue": str,
    "pyGroup": str,
    "pyName": str,
    "pyChannel": str,
    "pyDirection": str,
    "Value": float,
    "ContextWeight": float,
    "Weight": float,
    "pyPropensity": float,
    "FinalPropensity": float,
    "Priority": float,
    "pxRank": int,
    "ModelControlGroup": str,
}
_HISTORY: Columns = {
    "pySubjectID": str,
    "pxInteractionID": str,
    "pxOutcomeTime": str,
    "pyOutcome": str,
    "pyIssue": str,
    "pyGroup": str,
    "pyName": str,
    "pyTreatment": str,
    "pyChannel": str,
    "pyDirection": str,
    "pyPropensity": float,
}
_OUTCOMES = {"shown": "Impression", "converted": "Conversion", "maybe_later": "Maybe Later", "ignored": "No Response"}
"""Pega's usual words for outcomes; the others are ours, with a capital."""


def write(
    log: Log,
    rulebook_of: RulebookOf,
    out: Path,
    *,
    salt: str,
    ids: Ids,
    left_out: Counter[str],
    progress: Callable[[str, float], None],
) -> dict[Path, int]:
    """The rows of each of the two files; the history lies beside the extract."""
    history = beside(out, "interaction-history")
    rows, last = {out: 0, history: 0}, max(1, log.last_sequence())
    with table(out, _EXTRACT) as append:
        for record in log.read(kinds=("decision",)):
            for row in _candidates(record, rulebook_of, salt=salt, ids=ids, left_out=left_out):
                append(row)
                rows[out] += 1
            progress("deciding again", 0.5 * record.sequence / last)
    decision_of = lru_cache(maxsize=1_000)(log.record)
    with table(history, _HISTORY) as append:
        for record in log.read(kinds=("outcome",)):
            if (heard := _outcome(record, decision_of, rulebook_of, ids=ids)) is None:
                left_out[OUTCOMES] += 1
            else:
                append(heard)
                rows[history] += 1
            progress("reading outcomes", 0.5 + 0.5 * record.sequence / last)
    return rows


def _candidates(record: Record, rulebook_of: RulebookOf, *, salt: str, ids: Ids, left_out: Counter[str]) -> Iterator[Row]:
    why = IMPORTED if record.body["origin"] != "live" else BEFORE if record.version < REPLAYED_SINCE else None
    if why is not None:
        left_out[why] += 1
        return
    try:
        decision = replayed(record, rulebook_of(versions_of(record)[0]), salt=salt)
    except ReplayFault:
        left_out[OTHERWISE] += 1
    except KairosError:
        left_out[UNKNOWN] += 1
    else:
        yield from _ranked(decision, rulebook_of(versions_of(record)[0]).catalog, ids)


def _ranked(decision: Decision, catalog: Catalog, ids: Ids) -> Iterator[Row]:
    request = decision.request
    about = {
        "pySubjectID": ids(request.customer_id),
        "pxInteractionID": ids(request.decision_id),
        "pxDecisionTime": _moment(decision.at),
        "ModelControlGroup": "Control" if decision.group == "random" else "Test",
        **_place(catalog.touchpoints[request.touchpoint]),
    }
    for candidate in decision.candidates:
        terms = candidate.terms
        yield {
            **about,
            **_action(catalog, candidate.action),
            "Value": terms.v,
            "ContextWeight": terms.c,
            "Weight": terms.l,
            "pyPropensity": candidate.response,
            "FinalPropensity": terms.p,
            "Priority": terms.priority,
            "pxRank": candidate.rank,
        }


def _outcome(record: Record, decision_of: Callable[[str], Record | None], rulebook_of: RulebookOf, *, ids: Ids) -> Row | None:
    """None where its decision is not exported, or was for nothing."""
    body = record.body
    decision = decision_of(body["decision_id"]) if body.get("decision_id") else None
    if decision is None or decision.body["origin"] != "live" or decision.version < REPLAYED_SINCE:
        return None
    result = next((one for one in decision.body["results"] if one.get("action") == body.get("action")), None)
    if result is None or result["kind"] != "action":
        return None
    try:
        catalog = rulebook_of(versions_of(decision)[0]).catalog
    except KairosError:
        return None
    return {
        "pySubjectID": ids(str(decision.body["customer_id"])),
        "pxInteractionID": ids(decision.message_id),
        "pxOutcomeTime": _moment(record.event_time),
        "pyOutcome": _OUTCOMES.get(body["outcome"], body["outcome"].capitalize()),
        "pyTreatment": decision.body["touchpoint"],
        "pyPropensity": result["terms"]["p"],
        **_action(catalog, body["action"]),
        **_place(catalog.touchpoints[decision.body["touchpoint"]]),
    }


def _moment(at: datetime) -> str:
    """As Pega writes times: 20180101T140000.000 GMT."""
    return f"{at:%Y%m%dT%H%M%S}.{at.microsecond // 1000:03d} GMT"


def _action(catalog: Catalog, name: str) -> Mapping[str, str]:
    group = catalog[name].group
    return {"pyIssue": catalog.groups[group].issue, "pyGroup": group, "pyName": name}


def _place(touchpoint: Touchpoint) -> dict[str, Any]:
    return {"pyChannel": touchpoint.channel, "pyDirection": touchpoint.direction.capitalize()}
