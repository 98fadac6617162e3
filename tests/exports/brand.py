"""What is exported: decisions of all groups, imported ones, one whose window is open, and outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from features.exports.export import Exported, Format, export_log
from features.log import Log, Record
from features.playbook import Playbook
from tests.features.trial_log import DAY, PROFILE, Writer, playbook, success
from tests.training.worlds import mailing
from tests.worlds import NOW

LATER = NOW + 60 * DAY
OPEN = "late"
SECRET = "the customer's secret"


@dataclass(frozen=True, kw_only=True)
class Exporting:
    log: Log
    book: Playbook
    folder: Path
    decisions: Sequence[Record]

    def export(self, form: Format, name: str, *, keep_ids: bool = False) -> tuple[Path, Exported]:
        out = self.folder / name
        told: list[float] = []
        report = export_log(
            self.log,
            self.book,
            out,
            form=form,
            keep_ids=keep_ids,
            now=LATER,
            progress=lambda _, share: told.append(share),
        )
        assert told == sorted(told) and 0 < told[-1] <= 1
        return out, report

    def chosen_from(self) -> list[Record]:
        """The decisions that are choices: those of treatment and random whose window is over."""
        return [one for one in self.decisions if one.body["group"] != "control" and one.message_id != OPEN]


def written(log: Log, folder: Path) -> Exporting:
    """A quarter of the offers has its success; on the phone there is nothing to say. `often` is sensitive: not to be told."""
    book = playbook(profile=PROFILE.replace("labels: [seldom, weekly]", "labels: [seldom, weekly], sensitive: true"))
    writer, random = Writer.opened(log, book), np.random.default_rng(3)
    made = [
        writer.decision(
            f"=c{number}",
            NOW + number * timedelta(minutes=1),
            touchpoint="phone" if number % 10 == 9 else ("app", "email")[number % 2],
            orders=float(number % 4),
        )
        for number in range(300)
    ]
    made.append(writer.decision("someone", LATER - DAY, name=OPEN))
    log.append([*mailing("m", SECRET, NOW, accepted=[0]), *made])
    log.append([
        success(one, NOW + 2 * DAY)
        for one in made
        if one.message_id != OPEN and one.body["results"][0]["kind"] == "action" and random.random() < 0.25
    ])  # fmt: skip
    return Exporting(log=log, book=book, folder=folder, decisions=made)
