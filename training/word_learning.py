"""From rated texts to a model of words, held against the lexicon on texts that are later than those that taught.

Ridge regression (Hoerl and Kennedy 1970) on tf-idf. What is chosen, how strongly weights are held back, whether parts of words
are read, is chosen on training texts held out in time; whether the model is used at all, on later ones that chose nothing, lest
the luckiest of many ways to learn passes for a good one. The test only measures.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from features import text_emotion
from features.word_model import FEWEST_CUSTOMERS, WordModel, terms
from training.measured import Evaluation, Floats, Metric, Statistic, draws_of, measured
from training.rated import Rated

_ALPHAS = (30.0, 10.0, 3.0, 1.0, 0.3)
_WAYS = tuple((parts, alpha) for parts in (False, True) for alpha in _ALPHAS)
"""Ways to learn: whether parts of words are read, and how strongly weights are held back."""
_CHOOSING = (0.4, 0.55, 0.7)
"""Shares of the training texts, in time: two blocks, each predicted from all before it, choose how to learn."""
_JUDGING = (0.7, 1.0)
"""The block that says whether what was chosen reads better than the lexicon."""
_MOST_TERMS = 5_000
_FEWEST_TERMS = 5
_SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """`words` is None where the lexicon stays, and `why` says why it does, or why it does not.

    `folds` are numbers on training texts held out in time, `parameters` what was chosen there.
    """

    words: WordModel | None
    why: str
    folds: Mapping[str, float]
    parameters: Mapping[str, float]


def learn(data: Rated, *, least: int) -> Learned:
    """Reads no text of the test, and of the test only how many there are."""
    train, tests = np.flatnonzero(~data.test), int(data.test.sum())
    if len(train) < least or tests < least / 4:
        why = f"{len(train)} rated texts to learn from and {tests} to test on; {least} and {-(-least // 4)} are needed"
        return _stays(why)
    if np.ptp(data.valence[train]) == 0:
        return _stays("every text to learn from has the same rating")
    held, found = _held_out(data, train, _CHOOSING)
    if not found:
        return _stays(f"too few words were used by {FEWEST_CUSTOMERS} customers or more")
    chose = {way: _reached(data.valence[held], expected) for way, expected in found.items()}
    parts, alpha = way = max(chose, key=lambda one: (chose[one], not one[0], one[1]))
    held, found = _held_out(data, train, _JUDGING, ways=(way,))
    customers, texts, seen = data.of(held)
    lexicon, reached = lexicon_valence(texts), _reached(seen, found[way])
    gain = measured("gain", _gain(seen, found[way], lexicon), draws_of(customers, _SEED))
    folds = {
        "chosen_rank_correlation": chose[way],
        "rows": float(len(held)),
        "rank_correlation": reached,
        "lexicon_rank_correlation": _reached(seen, lexicon),
        "gain": gain.value,
        "gain_low": gain.low,
        "gain_high": gain.high,
    }
    said = f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] on {len(held)} training texts held out in time"
    parameters = {"alpha": alpha, "parts": float(parts)}
    if not gain.low > 0:
        why = f"against the lexicon the rank correlation with ratings changes by {said}: not shown to be better"
        return Learned(words=None, why=why, folds=folds, parameters=parameters)
    words = fit(*data.of(train), alpha=alpha, parts=parts, reliability=reached)
    assert words is not None
    return Learned(words=words, why=f"against the lexicon it gains {said}", folds=folds, parameters=parameters)


def fit(
    customers: Sequence[str],
    texts: Sequence[str],
    valence: Floats,
    *,
    alpha: float,
    parts: bool,
    reliability: float = 0.0,
) -> WordModel | None:
    """The model of these texts; None where too few terms were used by enough customers."""
    fitted = estimators(customers, texts, valence, alpha=alpha, parts=parts)
    if fitted is None:
        return None
    vectors, ridge, fewest = fitted
    return WordModel(
        vocabulary=tuple(vectors.get_feature_names_out().tolist()),
        idf=tuple(vectors.idf_.tolist()),
        weights=tuple(ridge.coef_.tolist()),
        intercept=float(ridge.intercept_),
        parts=parts,
        reliability=float(min(1.0, max(0.0, reliability))),
        customers=fewest,
    )


def estimators(
    customers: Sequence[str], texts: Sequence[str], valence: Floats, *, alpha: float, parts: bool
) -> tuple[TfidfVectorizer, Ridge, int] | None:
    """scikit-learn's own, fitted, and the fewest customers that used any of their terms; None as for `fit`."""
    found = _vectors(customers, texts, parts)
    if found is None:
        return None
    vectors, matrix, fewest = found
    return vectors, _ridge(matrix, valence, alpha), fewest


def evaluate(data: Rated, words: WordModel | None) -> Evaluation | None:
    """Reads the test. None where it has fewer than two ratings that differ.

    `rank_correlation` and `error` (mean absolute) are of what is used; `gain_over_lexicon` is what the first gains, 0 for the
    lexicon itself. Intervals by bootstrap over customers, paired.
    """
    customers, texts, seen = data.of(np.flatnonzero(data.test))
    if len(seen) < 2 or np.ptp(seen) == 0:
        return None
    draws, lexicon = draws_of(customers, _SEED), lexicon_valence(texts)
    used = lexicon if words is None else np.array([words.feeling(text).valence for text in texts])
    gain = measured("gain_over_lexicon", _gain(seen, used, lexicon), draws) if words is not None else _NO_GAIN
    metrics = (
        measured("rank_correlation", rank_correlation(seen, used), draws),
        measured("lexicon_rank_correlation", rank_correlation(seen, lexicon), draws),
        gain,
        measured("error", _error(seen, used), draws),
        measured("lexicon_error", _error(seen, lexicon), draws),
    )
    return Evaluation(rows=len(seen), positives=int((seen > 0).sum()), customers=len(set(customers)), metrics=metrics)


def lexicon_valence(texts: Sequence[str]) -> Floats:
    return np.array([text_emotion.feeling(text).valence for text in texts])


def rank_correlation(seen: Floats, expected: Floats) -> Statistic:
    """Spearman's, of rows with weights: the correlation of their mid-ranks. 0 where all of one are the same."""
    seen_rank, expected_rank = _ranked(seen), _ranked(expected)

    def weighted(weights: NDArray[Any]) -> float:
        one, other = seen_rank(weights), expected_rank(weights)
        one, other = one - np.average(one, weights=weights), other - np.average(other, weights=weights)
        size = float(np.sqrt((weights @ one**2) * (weights @ other**2)))
        return float(weights @ (one * other)) / size if size > 0 else 0.0

    return weighted


def _ranked(values: Floats) -> Callable[[NDArray[Any]], Floats]:
    levels, level = np.unique(values, return_inverse=True)

    def ranks(weights: NDArray[Any]) -> Floats:
        each = np.bincount(level, weights=weights, minlength=len(levels))
        return np.asarray((each.cumsum() - each / 2)[level], dtype=np.float64)

    return ranks


def _gain(seen: Floats, words: Floats, lexicon: Floats) -> Statistic:
    ours, theirs = rank_correlation(seen, words), rank_correlation(seen, lexicon)
    return lambda weights: ours(weights) - theirs(weights)


def _reached(seen: Floats, expected: Floats) -> float:
    return rank_correlation(seen, expected)(np.ones(len(seen)))


def _error(seen: Floats, expected: Floats) -> Statistic:
    distance = np.abs(seen - expected)
    return lambda weights: float(np.average(distance, weights=weights))


def _used(customers: Sequence[str], texts: Sequence[str], parts: bool) -> Counter[str]:
    """By how many customers each term was used."""
    theirs: dict[str, set[str]] = {}
    for customer, text in zip(customers, texts, strict=True):
        theirs.setdefault(customer, set()).update(terms(text, parts=parts))
    return Counter(term for used in theirs.values() for term in used)


def _vectors(customers: Sequence[str], texts: Sequence[str], parts: bool) -> tuple[TfidfVectorizer, Any, int] | None:
    used = _used(customers, texts, parts)
    common = sorted((term for term, count in used.items() if count >= FEWEST_CUSTOMERS), key=lambda one: (-used[one], one))
    vocabulary = sorted(common[:_MOST_TERMS])
    if len(vocabulary) < _FEWEST_TERMS:
        return None
    vectors = TfidfVectorizer(analyzer=partial(terms, parts=parts), vocabulary=vocabulary, sublinear_tf=True)
    return vectors, vectors.fit_transform(texts), min(used[term] for term in vocabulary)


def _ridge(matrix: Any, valence: Floats, alpha: float) -> Ridge:
    # conjugate gradients to the end: the same weights each time
    return Ridge(alpha=alpha, solver="sparse_cg", tol=1e-10).fit(matrix, valence)


def _held_out(
    data: Rated, train: NDArray[np.intp], shares: Sequence[float], *, ways: Sequence[tuple[bool, float]] = _WAYS
) -> tuple[NDArray[np.intp], dict[tuple[bool, float], Floats]]:
    """Training rows between the shares, and what each way to learn says of them from the rows before their block."""
    ends = [round(share * len(train)) for share in shares]
    said: dict[tuple[bool, float], list[Floats]] = {}
    for start, end in pairwise(ends):
        customers, texts, seen = data.of(train[:start])
        _, later, _ = data.of(train[start:end])
        for parts in sorted({parts for parts, _ in ways}):
            found = _vectors(customers, texts, parts)
            if found is None:
                continue
            vectors, matrix, _ = found
            asked = vectors.transform(later)
            for way in (one for one in ways if one[0] == parts):
                expected = np.clip(_ridge(matrix, seen, way[1]).predict(asked), -1.0, 1.0)
                said.setdefault(way, []).append(np.where(asked.getnnz(axis=1) > 0, expected, 0.0))
    # a way that could not learn from the first rows is none
    return train[ends[0] : ends[-1]], {way: np.concatenate(one) for way, one in said.items() if len(one) == len(ends) - 1}


def _stays(why: str) -> Learned:
    return Learned(words=None, why=why, folds={}, parameters={})


_NO_GAIN = Metric(name="gain_over_lexicon", value=0.0, low=0.0, high=0.0)
