"""The only door to Optuna: better parameters for a model, within a budget, by what training rows held out in time say."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from training.parameters import Parameters, Search

Losing = Callable[[Parameters], float]
"""What a model with these parameters loses on training rows held out in time: less is better."""


def found(start: Parameters, budget: Search, losing: Losing) -> tuple[Parameters, dict[str, float]]:
    """The parameters that lose least, and what the search says of itself: trials, its best loss, the loss of `start`.

    `start` is tried first and beside the budget, so that nothing worse is found; the others are drawn one after the other by
    a tree-structured Parzen estimator (Bergstra, Bardenet, Bengio and Kegl, 2011) with the seed of `start`. Of equal losses
    the earlier wins.
    """
    # only who searches loads it
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize", sampler=optuna.samplers.TPESampler(seed=start.seed))
    losses = [(losing(start), start)]

    def tried(trial: Any) -> float:
        parameters = replace(start, **_drawn(trial))
        losses.append((losing(parameters), parameters))
        return losses[-1][0]

    seconds = None if budget.seconds == float("inf") else budget.seconds
    study.optimize(tried, n_trials=budget.trials, timeout=seconds, n_jobs=1)
    best = min(range(len(losses)), key=lambda at: (losses[at][0], at))
    counted = {"trials": float(len(losses) - 1), "loss": losses[best][0], "loss_before": losses[0][0]}
    return losses[best][1], counted


def _drawn(trial: Any) -> dict[str, Any]:
    """Small trees and strong bounds: what tens of thousands of rows with few positives can bear."""
    return {
        "num_iterations": trial.suggest_int("num_iterations", 40, 400, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.1, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 2, 16, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 10, 200, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.3, 1.0),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.01, 30.0, log=True),
    }
