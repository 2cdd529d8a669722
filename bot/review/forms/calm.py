"""A month in which no alert came is soon read: a chapter that has nothing to tell is one line."""

from dataclasses import replace

from bot.review import Review, Section

VOLUME, FRONT = "volume", "summary"
PROMISED = ("error_budget_min",)            # figures that say what was agreed, not what happened


def calm(review: Review) -> Review:
    """The review as it is read; of a month with alerts, as it is. CSV and JSON keep every figure and list."""
    volume = review.figures.get(VOLUME)
    if volume is None or volume.value != 0:
        return review
    return replace(review, sections=tuple(each if _tells(review, each) else _line(each) for each in review.sections))


def _tells(review: Review, section: Section) -> bool:
    """Whether something was counted or measured; the first page also tells what there was a month ago."""
    if section.name == FRONT and any(review.trends[each.name].value for each in section.figures if each.name in review.trends):
        return True
    told = [each for each in section.figures if each.value is not None and each.name not in PROMISED]
    return any(each.value or (each.definition.unit == "share" and each.n) for each in told)


def _line(section: Section) -> Section:
    """What its first empty list says; of the first page its sentences."""
    lists = [each.empty for each in section.tables if each.empty and not each.rows]
    said = section.said if section.name == FRONT or not lists else lists[:1]
    return Section(section.name, section.title, (" ".join(said),))
