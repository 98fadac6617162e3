"""What hours are worth on the test: by which share the model's log loss is lower than its rivals' on the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from features.receptive import Timing
from training.measured import Evaluation, draws_of, measured_mean
from training.parameters import Reference
from training.timing import Chance, Rows, gain, log_losses


def evaluate_timing(
    rows: Rows,
    model: Timing,
    rivals: Mapping[str, Chance],
    *,
    customers: Sequence[str],
    references: Mapping[str, Reference],
    seed: int,
) -> Evaluation:
    """Of n messages: log_loss, and gain_over_RIVAL for each; a gain is 1 - model's loss / rival's, at most 1, below 0 where the
    model is the worse. Intervals by bootstrap over customers, the losses of both drawn together.
    """
    draws = draws_of(customers, seed)
    ours = log_losses(rows.labels, model.chance(rows.own, rows.hours, rows.said))
    theirs = {name: log_losses(rows.labels, chance(rows.own, rows.hours, rows.said)) for name, chance in rivals.items()}
    metrics = [
        measured_mean("log_loss", ours, draws),
        *(gain(f"gain_over_{name}", losses, ours, draws) for name, losses in theirs.items()),
    ]
    return Evaluation(
        rows=len(rows.labels),
        positives=int(rows.labels.sum()),
        customers=len(set(customers)),
        metrics=tuple(replace(one, reference=references.get(one.name)) for one in metrics),
    )
