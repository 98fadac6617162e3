"""Which data a customer says are wrong: by when that was said, in whatever order it becomes known."""

from collections.abc import Mapping

from decisioning.customer import Contest


def said(contests: Mapping[str, Contest], feature: str, word: Contest) -> dict[str, Contest]:
    """The contests once a word on a feature is known. The last one holds; of two at one moment the one that is not settled."""
    before = contests.get(feature)
    if before is not None and (before.at, not before.settled) >= (word.at, not word.settled):
        return dict(contests)
    return {**contests, feature: word}


def unsettled(contests: Mapping[str, Contest]) -> frozenset[str]:
    """The features that may not be used now."""
    return frozenset(feature for feature, contest in contests.items() if not contest.settled)
