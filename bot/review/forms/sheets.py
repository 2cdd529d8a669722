"""The review as tables for a spreadsheet: its figures, each of its lists, and every alert of the month."""

import csv as writing
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from bot.review import Facts, Review, Trend
from bot.review.facts import Group

FIGURES, ALERTS = "figures.csv", "alerts.csv"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
FIGURE_COLUMNS = (
    "month", "version", "section", "figure", "title", "value", "unit", "currency", "n", "left_out", "before", "no_trend", "why",
    "grey", "list", "definition", "definition_version", "source", "sha256",
)
EPOCH = (1980, 1, 1, 0, 0, 0)           # so that the same lists make the same archive


def csv(review: Review, digest: str, facts: Facts | None = None) -> dict[str, str]:
    """Files by name: figures, one for each list; of all alerts too, where the facts are given."""
    files = {FIGURES: _written(FIGURE_COLUMNS, _figures(review, digest))}
    for table in (each for section in review.sections for each in section.tables):
        files[f"{table.name}.csv"] = _written([each.name for each in table.columns], table.rows)
    if facts is not None:               # after the lists: a list of some alerts gives way to that of all
        files[ALERTS] = _written([each.name for each in fields(Group)], (_row(each) for each in facts.groups))
    return files


def archive(files: Mapping[str, str]) -> bytes:
    """All of them in one ZIP."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, text in files.items():
            zipped.writestr(zipfile.ZipInfo(name, EPOCH), text.encode("utf-8-sig"), zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _figures(review: Review, digest: str) -> Iterable[list[Any]]:
    for section in review.sections:
        for figure in section.figures:
            defined, trend = figure.definition, review.trends.get(figure.name, Trend(None))
            yield [
                review.month, review.version, section.name, figure.name, defined.title, figure.value, defined.unit,
                figure.currency, figure.n, _reasons(figure.left_out), trend.value, trend.why, figure.why, figure.grey,
                figure.behind, defined.text, defined.version, defined.source, digest,
            ]


def _reasons(left_out: Mapping[str, int]) -> str:
    return "; ".join(f"{reason}: {count}" for reason, count in left_out.items())


def _row(group: Group) -> list[Any]:
    return [_cell(getattr(group, each.name)) for each in fields(Group)]


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return " ".join(value) if isinstance(value, tuple) else value


def _written(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    writer = writing.writer(text, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_harmless(value) for value in row] for row in rows)
    return text.getvalue()


def _harmless(value: Any) -> Any:
    """No cell is a formula to a spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
