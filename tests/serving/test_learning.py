"""What is known of responses is read at each call; what follows from it is worked out only where it changed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from decisioning.domain import Evidence, Learner
from features.log import LogUnavailable
from serving.learning import CurrentLearner

SEEN = {("bread", "app"): Evidence(shows=1, expected=0.3)}


@dataclass
class Told:
    """A log that tells of what the test gives; None where it cannot be read."""

    now: Learner | None

    def query(self, ask: Callable[[Any], Any]) -> Any:
        if self.now is None:
            raise LogUnavailable("the disk is full")
        return self.now


def test_what_was_worked_out_stays_while_the_evidence_does_though_the_log_goes_on() -> None:
    log = Told(Learner(evidence=SEEN, snapshot=1))
    current = CurrentLearner(log)  # type: ignore[arg-type]
    current().believed["a plan"] = "beliefs"
    log.now = Learner(evidence=dict(SEEN), snapshot=7)
    later = current()
    assert (later.snapshot, later.believed) == (7, {"a plan": "beliefs"})


def test_what_was_worked_out_from_other_evidence_is_forgotten() -> None:
    log = Told(Learner(evidence=SEEN, snapshot=1))
    current = CurrentLearner(log)  # type: ignore[arg-type]
    before = current()
    before.believed["a plan"] = "beliefs"
    log.now = Learner(evidence={("bread", "app"): Evidence(shows=2, expected=0.6)}, snapshot=2)
    later = current()
    assert later.evidence == log.now.evidence
    assert (later.believed, before.believed) == ({}, {"a plan": "beliefs"})


def test_a_log_that_cannot_be_read_is_no_evidence_of_nothing() -> None:
    current = CurrentLearner(Told(None))  # type: ignore[arg-type]
    with pytest.raises(LogUnavailable):
        current()
