"""The decision log as others read it: Pega's tables, Vowpal Wabbit's dsjson, the Open Bandit Pipeline's arrays."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from decisioning.errors import KairosError
from features.exports import dsjson, obp, pega
from features.exports.choices import choices
from features.exports.pseudonyms import kept, pseudonyms
from features.log import Log
from features.playbook import Playbook
from features.published import Published

Format = Literal["pega", "dsjson", "obp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """The rows of each file; `left_out` counts, in words, what the format cannot hold or the log does not say."""

    files: Mapping[str, int]
    pseudonymous: bool
    left_out: Mapping[str, int]

    def lines(self) -> list[str]:
        names = "ids are pseudonyms" if self.pseudonymous else "ids are those of the log: personal data"
        told = [f"wrote     {rows:,} rows to {name}; {names}" for name, rows in self.files.items()]
        return told + [f"left out  {count:,} {what}" for what, count in self.left_out.items()]


def export_log(
    log: Log,
    playbook: Playbook,
    out: Path,
    *,
    form: Format,
    keep_ids: bool,
    now: datetime,
    progress: Callable[[str, float], None],
) -> Exported:
    """Write the log's live decisions to `out`. `playbook` is the last published one: it gives the columns of `obp`.

    Raises KairosError where `out` cannot be written or ends in what the format is not, and for a log that never had a server.
    """
    if form == "obp" and out.suffix != ".npz":
        raise KairosError(f"{out}: name a file that ends in .npz")
    salt = log.setting("salt")
    if salt is None:
        raise KairosError("nothing was ever decided by this log: start 'kairos serve' and ask it for decisions first")
    left_out, rulebook_of = Counter[str](), Published(log)
    ids = kept if keep_ids else pseudonyms(salt)
    made = choices(log, rulebook_of, now=now, left_out=left_out, progress=progress)
    match form:
        case "pega":
            files = pega.write(log, rulebook_of, out, salt=salt, ids=ids, left_out=left_out, progress=progress)
        case "dsjson":
            files = {out: dsjson.write(made, out, ids=ids)}
        case "obp":
            files = {out: obp.write(made, out, index=playbook.profile.index, topics=tuple(playbook.profile.topics))}
    return Exported(files={str(file): rows for file, rows in files.items()}, pseudonymous=not keep_ids, left_out=dict(left_out))
