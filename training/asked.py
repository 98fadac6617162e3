"""From a model's settings to its labels, whichever model it is."""

from datetime import date, datetime, time

from features.log import Log
from features.workspace import Workspace
from training import experiment, labels, timing_rows
from training.labels import Labels
from training.settings import Churn, Preference, Settings, Timing, Uplift, Value


def labels_of(log: Log, workspace: Workspace, settings: Settings, *, now: datetime) -> Labels:
    """What the log says happened, by the settings of one model. Raises TrainingError as `training.labels` does."""

    def midnight(day: date) -> datetime:
        return workspace.brand.to_utc(datetime.combine(day, time()))

    match settings:
        case Churn():
            return labels.churn(log, settings, midnight=midnight, now=now)
        case Value():
            return labels.value(log, settings, midnight=midnight, now=now)
        case Preference():
            return labels.preference(log, settings, midnight=midnight, now=now)
        case Uplift():
            return experiment.uplift(log, settings, midnight=midnight, now=now)
        case Timing():
            return timing_rows.timing(log, workspace, settings, midnight=midnight, now=now)
