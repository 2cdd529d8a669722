"""The review as a page: one file that works without a network, prints on A4, and needs a script for sorting only."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from bot.review import N_, Review
from bot.review.forms import Signed
from bot.review.forms.extra import extra
from bot.review.forms.laid import Sheet, lay

FOLDER = Path(__file__).parent
PRINTED = 25                        # rows of a list on paper: page.css hides the others
WORDS = {
    "skip": N_("To the review"), "contents": N_("Contents"), "definitions": N_("What each figure means"),
    "figures": N_("Figures: {title}"), "figure": N_("Figure"), "value": N_("Value"), "since": N_("Since {before}"),
    "counted": N_("Counted"), "meaning": N_("what it means"), "numbers": N_("The numbers as a table"),
    "numbers_of": N_("The numbers of: {title}"), "rows": N_("{total:,} in all."),
    "cut": N_("Printed: the first {printed} of {total:,}; the list has more on screen and in CSV."),
}
POLICY = "default-src 'none'; img-src data:; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"
A_PAGE = N_("a page")
CODE = re.compile("`([^`]+)`")
LEADS = " class=to"                 # a cell that names another list leads there


def html(
    review: Review, digest: str, charts: Mapping[str, bytes], signed: Sequence[Signed] = (), made_for: str | None = None,
    files: Sequence[tuple[str, str]] = (),
) -> str:
    """The page; `charts` are SVG by name, `files` the names and addresses of the other forms where there are any.

    Raises Misbuilt without the extra `report`.
    """
    shown: str = _template().render(
        laid=lay(review, digest, charts, signed, made_for), words=WORDS, policy=policy(), style=_text("page.css"),
        script=_text("page.js"), files=files, printed=PRINTED,
    )
    return shown


@cache
def policy() -> str:
    """What the page may do, as a browser is told it: our style, our script, pictures that it holds itself."""
    return POLICY.format(style=hash_of(_text("page.css")), script=hash_of(_text("page.js")))


def hash_of(text: str) -> str:
    """A style or script as a policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@cache
def _template() -> Any:
    jinja2 = extra("jinja2", A_PAGE)
    loader = jinja2.FileSystemLoader(FOLDER)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True,
                                     undefined=jinja2.StrictUndefined)
    environment.filters["spoken"] = lambda text: jinja2.utils.markupsafe.Markup(CODE.sub(r"<code>\1</code>", escape(text)))
    environment.filters["base64"] = lambda text: base64.b64encode(text.encode()).decode()
    environment.filters["rows"] = lambda sheet: jinja2.utils.markupsafe.Markup(_rows(sheet))
    return environment.get_template("page.html.jinja")


def _rows(sheet: Sheet) -> str:
    """Rows of a list as HTML; by hand, for there may be a hundred thousand cells."""
    shapes = [f" class={shape}" if shape else "" for _, shape in sheet.columns]
    return "".join(
        "<tr>" + "".join(_cell(words, value, shape) for (words, value), shape in zip(row, shapes, strict=True)) + "</tr>"
        for row in sheet.rows
    )


def _cell(words: str, value: Any, shape: str) -> str:
    """What it sorts by stands beside it where it is not what it says."""
    sorts = "" if value is None else str(value)
    told = "" if sorts == words or isinstance(value, bool) else f' data-v="{escape(sorts)}"'
    shown = f'<a href="#list-{escape(sorts)}">{escape(words)}</a>' if shape == LEADS else escape(words)
    return f"<td{shape}{told}>{shown}</td>"
