"""What training refuses, each with its cause and its cure in one line."""

from decisioning.errors import KairosError


class TrainingError(KairosError):
    """The data cannot teach, or cannot test, what models.yaml asks for."""


class TrackingError(KairosError):
    """MLflow is missing, cannot be reached, or does not hold what is asked of it."""


class PromotionRefused(KairosError):
    """A gate is shut. Carries every reason found, one line each."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


class RollbackRefused(KairosError):
    """There is no bundle to go back to, or not that one."""


class AnotherIsRunning(KairosError):
    """Somebody trains in this workspace; the text says who, and since when."""
