"""The shares of customers that each group is to have, in every version that was published."""

from collections.abc import Mapping
from dataclasses import dataclass

from features.log import Log
from features.log.records import microseconds
from features.yaml_nodes import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """`now` are the shares of the last published version, which held since `since_us` without a change."""

    now: Mapping[str, float]
    since_us: int
    of: Mapping[str, Mapping[str, float]]

    def holds_of(self, version: str | None) -> bool:
        """Whether a version has these shares; records of before the third version of the log do not say theirs."""
        return version is None or self.of.get(version) == self.now


def shares_of(log: Log) -> Shares:
    """Without any publication: treatment is everybody."""
    now, since_us, of = _shares({}), 0, dict[str, Mapping[str, float]]()
    for record in log.read(kinds=("catalog",)):
        body = record.body
        shares = _shares((plain(body["files"]["policy.yaml"]) or {}).get("groups") or {})
        if not of or shares != now:
            now, since_us = shares, microseconds(record.known_time)
        of[body["version"]] = shares
    return Shares(now=now, since_us=since_us, of=of)


def _shares(written: Mapping[str, float]) -> dict[str, float]:
    control, random = float(written.get("control", 0.0)), float(written.get("random", 0.0))
    return {"treatment": 1.0 - control - random, "control": control, "random": random}
