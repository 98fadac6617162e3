"""The report on a build's quality: for machines as JSON, for people as one HTML page without scripts or other files."""

import os
from html import escape
from pathlib import Path

import msgspec

from features.builds import clear_left
from features.quality import FeatureQuality, Quality

ACCEPTED = "accepted"
REFUSED = "refused"
_KEPT = "quality.json"

_STYLE = (
    "body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1b1f24}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #d8dee4}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}tr.broken{background:#fff1f0}li{margin:.2rem 0}"
)


def accepted(folder: Path) -> Quality | None:
    """That of the build in use; None where none was written, or by a version whose form it does not have."""
    return _read(folder / f"{ACCEPTED}.json")


def keep(build: Path, quality: Quality) -> None:
    """Keep it beside the tables of its build: whoever is interrupted before it is told can tell it later."""
    (build / _KEPT).write_bytes(_json(quality))


def kept(build: Path) -> Quality | None:
    return _read(build / _KEPT)


def write(folder: Path, quality: Quality, name: str) -> Path:
    """Write `<name>.json` and `<name>.html`, each whole or not at all. An accepted one clears the refused one.

    Returns the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # whoever finds the numbers finds the page
    page = folder / f"{name}.html"
    _put(page, html(quality).encode())
    _put(folder / f"{name}.json", _json(quality))
    if name == ACCEPTED:
        for old in (f"{REFUSED}.json", f"{REFUSED}.html"):
            (folder / old).unlink(missing_ok=True)
    return page


def html(quality: Quality) -> str:
    """The page. Features that broke a bound come first."""
    broken = {fault.partition(":")[0] for fault in quality.faults}
    features = sorted(quality.features, key=lambda one: one.name not in broken)
    faults = "".join(f"<li>{escape(fault)}</li>" for fault in quality.faults)
    verdict = f"<p>Broken bounds:</p><ul>{faults}</ul>" if faults else "<p>Every bound holds.</p>"
    against = f"build {escape(quality.against)}" if quality.against else "no earlier build"
    views = "".join(
        f"<tr><td>{escape(view.name)}</td><td class=n>{'empty' if view.age_days is None else f'{view.age_days:.1f}'}</td></tr>"
        for view in quality.views
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Quality of the features</title>"
        f"<style>{_STYLE}</style><h1>Quality of the features</h1>"
        f"<p>Build {escape(quality.stamp)}: {quality.customers:,} customers, as of {escape(quality.until)}, "
        f"drift against {against}.</p>{verdict}"
        f"<h2>Views</h2><table><tr><th>View<th class=n>Newest record, days old</tr>{views}</table>"
        "<h2>Features</h2><table><tr><th>Feature<th>View<th>Type<th>Unit<th>Owner<th class=n>Missing<th class=n>Lowest"
        f"<th class=n>Highest<th class=n>PSI</tr>{''.join(_row(one, one.name in broken) for one in features)}</table></html>\n"
    )


def _row(one: FeatureQuality, broken: bool) -> str:
    words = "".join(f"<td>{escape(text)}</td>" for text in (one.name, one.view, one.type, one.unit, one.owner))
    shown = [f"{one.null_rate:.1%}", *("" if number is None else f"{number:.4g}" for number in (one.lowest, one.highest))]
    shown.append("" if one.psi is None else f"{one.psi:.2f}")
    numbers = "".join(f"<td class=n>{text}</td>" for text in shown)
    return f"<tr{' class=broken' if broken else ''}>{words}{numbers}</tr>"


def _read(file: Path) -> Quality | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Quality)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _json(quality: Quality) -> bytes:
    return msgspec.json.format(msgspec.json.encode(quality), indent=1)


def _put(file: Path, content: bytes) -> None:
    clear_left(file.parent, f".{file.name}-")
    partial = file.with_name(f".{file.name}-{os.getpid()}")
    partial.write_bytes(content)
    os.replace(partial, file)
