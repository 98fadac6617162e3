"""What a server is told when it starts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`salt` seeds every draw and group of the brand; `max_batch` bounds one call's events."""

    salt: str
    max_batch: int = 500
    max_placements: int = 10
    outbox_page: int = 1000
