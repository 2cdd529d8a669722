"""The review for machines: every figure by name, every section with its lists; the names in it are kept."""

from typing import Any

from bot.review import Chart, Figure, Review, Section, Table, Trend
from bot.review.forms import audience


def json_of(review: Review, digest: str) -> dict[str, Any]:
    """As `vigie review MONTH --format json` answers; instants are UTC in ISO 8601, shares 0 to 1."""
    lists = audience.names(review)
    return {
        "month": review.month, "version": review.version, "hash": digest, "state": review.state, "zone": review.zone,
        "start": review.start, "end": review.end, "as_of": review.as_of, "notes": list(review.notes),
        "organisations": dict(review.organisations), "journal": dict(review.journal),
        "figures": {name: _figure(each, review, lists) for name, each in review.figures.items()},
        "sections": [_section(each) for each in review.sections],
    }


def _figure(figure: Figure, review: Review, lists: set[str]) -> dict[str, Any]:
    defined, trend = figure.definition, review.trends.get(figure.name, Trend(None))
    told = {
        "value": figure.value, "n": figure.n, "excluded": sum(figure.left_out.values()), "definition": defined.text,
        "definition_version": defined.version, "title": defined.title, "unit": defined.unit, "source": defined.source,
        "left_out": dict(figure.left_out), "before": trend.value, "no_trend": trend.why,
        "behind": audience.behind(figure, lists), "why": figure.why, "grey": figure.grey,
    }
    extras = {"currency": figure.currency, "only_for": figure.only_for}
    return told | {name: each for name, each in extras.items() if each is not None}


def _section(section: Section) -> dict[str, Any]:
    return {
        "name": section.name, "title": section.title, "said": list(section.said),
        "figures": [each.name for each in section.figures], "tables": [_table(each) for each in section.tables],
        "charts": [_chart(each) for each in section.charts],
    }


def _table(table: Table) -> dict[str, Any]:
    columns = [{"name": each.name, "title": each.title, "kind": each.kind} for each in table.columns]
    rows = [list(row) for row in table.rows]
    return {"name": table.name, "title": table.title, "total": table.total, "columns": columns, "rows": rows}


def _chart(chart: Chart) -> dict[str, Any]:
    points = [{"across": across, "series": series, "value": value} for across, series, value in chart.points]
    return {"name": chart.name, "title": chart.title, "alt": chart.alt, "mark": chart.mark, "across": chart.across,
            "up": chart.up, "points": points}
