"""What can be wrong with what the core is given."""


class KairosError(Exception):
    """A fault with a cause a person can act on; its text is one clear line."""


class ConditionError(KairosError):
    """A condition that cannot be read."""


class CatalogError(KairosError):
    """A catalog or a policy that contradicts itself. Carries every fault found, not only the first."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class FieldError(ValueError):
    """A record refuses the value of one of its fields."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(cause)
        self.name = name
