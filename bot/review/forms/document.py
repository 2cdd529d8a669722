"""The review as a PDF: A4, numbered pages; version, signatures and digest stand at the foot of each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.review import N_, Review
from bot.review.forms import Signed
from bot.review.forms.extra import apart
from bot.review.forms.laid import Laid, Sheet, lay

TEMPLATE, PRINTING = (Path(__file__).with_name(each) for each in ("document.typ", "printing.py"))
MODULES = ("typst",)
WHOLE, BEGUN = 25, 10               # a list of so many rows is printed whole; of a longer one its beginning
LINE, GAP, WIDEST = 132, 2, 60      # characters that stand in one line, between two columns, in the widest of them
SIZE, SMALLEST = 7.5, 5.5           # points

A_PDF = N_("a PDF")
WORDS = {
    "figure": N_("Figure"), "value": N_("Value"), "since": N_("Since {before}"), "counted": N_("Counted"),
    "definitions": N_("What each figure means"),
}
ROWS, CUT = N_("{total:,} in all."), N_("{total:,} in all, here the first {printed}: the CSV has them.")


def pdf(
    review: Review, digest: str, charts: Mapping[str, bytes], signed: Sequence[Signed] = (), made_for: str | None = None
) -> bytes:
    """The document; `charts` are SVG by name. The same review makes the same bytes. Raises Misbuilt without `report`."""
    laid, at = _plain(lay(review, digest, charts, signed, made_for)), int(datetime.fromisoformat(review.as_of).timestamp())
    return apart(PRINTING, {"template": TEMPLATE.read_text("utf-8"), "laid": laid, "at": at}, MODULES, A_PDF)


def _plain(laid: Laid) -> dict[str, Any]:
    """What the template reads: words only, lists cut to what is printed, and which places there are to point to."""
    plain = asdict(laid)
    for part, given in zip(plain["parts"], laid.parts, strict=True):
        part["sheets"] = [_sheet(each) for each in given.sheets]
    lists = [f"list-{each.name}" for part in laid.parts for each in part.sheets]
    words = {name: text.format(before=laid.before) for name, text in WORDS.items()}
    return {**plain, "words": words, "targets": [*lists, *(f"definition-{each.name}" for each in laid.meanings)]}


def _sheet(sheet: Sheet) -> dict[str, Any]:
    is_long = sheet.total > WHOLE
    rows = [[words for words, _ in row] for row in sheet.rows[:BEGUN if is_long else WHOLE]]
    told = (CUT if is_long else ROWS).format(total=sheet.total, printed=BEGUN)
    heads = [title for title, _ in sheet.columns]
    widths, size = _widths([list(cells) for cells in zip(heads, *rows, strict=True)])
    return {"name": sheet.name, "title": sheet.title, "columns": sheet.columns, "rows": rows, "widths": widths, "size": size,
            "tight": size <= SMALLEST, "told": told, "empty": sheet.empty}


def _widths(columns: list[list[str]]) -> tuple[list[float], float]:
    """The width of each column, in characters, and the size of the letters: no word is broken, the rest goes to long texts."""
    least = [GAP + max(len(word) for text in column for word in text.split() or [""]) for column in columns]
    wanted = [max(low, GAP + min(WIDEST, max(map(len, column)))) for low, column in zip(least, columns, strict=True)]
    size = max(SMALLEST, min(SIZE, SIZE * LINE / sum(least)))
    room = LINE * SIZE / size - sum(least)
    asked = sum(wanted) - sum(least)
    part = min(1.0, max(0.0, room) / asked) if asked else 0.0
    return [low + part * (high - low) for low, high in zip(least, wanted, strict=True)], size
