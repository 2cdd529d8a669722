"""Who may see what: names of one side's people and their nights never leave to the other."""

from dataclasses import replace

from bot.review import Figure, Review, Section


def shown_to(review: Review, organisation: str | None) -> Review:
    """The review without what is only for others; None: what both sides may see."""
    sections = tuple(_shown(each, organisation) for each in review.sections)
    names = {figure.name for each in sections for figure in each.figures}
    trends = {name: each for name, each in review.trends.items() if name in names}
    return replace(review, sections=sections, trends=trends)


def _shown(section: Section, organisation: str | None) -> Section:
    allowed = (None, organisation)
    tables = tuple(each for each in section.tables if each.only_for in allowed)
    figures = tuple(each for each in section.figures if each.only_for in allowed)
    charts = tuple(each for each in section.charts if each.only_for in allowed)
    return replace(section, tables=tables, figures=figures, charts=charts)


def sides(review: Review) -> list[str]:
    """The organisations for which there is something that the others may not see."""
    parts = [part for each in review.sections for part in (each.figures, each.tables, each.charts)]
    return sorted({each.only_for for part in parts for each in part if each.only_for})


def names(review: Review) -> set[str]:
    """Its tables: a figure whose list is not among them is shown without a link."""
    return {table.name for section in review.sections for table in section.tables}


def behind(figure: Figure, lists: set[str]) -> str | None:
    return figure.behind if figure.behind in lists else None
