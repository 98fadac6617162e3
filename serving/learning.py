"""What is known of responses, as of now; what follows from it is worked out again only where it changed."""

from dataclasses import replace

from decisioning.domain import Learner
from features.log import offers
from serving.ports import LogPort


class CurrentLearner:
    """The learner's evidence in the log, read at each call. The beliefs worked out from it are kept while it stays."""

    def __init__(self, log: LogPort) -> None:
        self._log = log
        self._last = Learner(evidence={})

    def __call__(self) -> Learner:
        """Raises LogUnavailable."""
        found: Learner = self._log.query(offers.evidence)
        if found.evidence == self._last.evidence:
            found = replace(found, believed=self._last.believed)
        self._last = found
        return found
