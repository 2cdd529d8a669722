"""What is attached to a review's message: charts as pictures with words for those who do not see them, PDF, CSV."""

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Misbuilt
from bot.review.forms import audience, charts, wording
from bot.services.review import choosing, giving, posting, reading
from bot.services.review.giving import Form
from bot.services.review.reading import Read
from bot.services.slack.drawing import Drawing, File, escape
from bot.store import reviews
from bot.store.cards import Post

DOCUMENTS: dict[str, tuple[Form, str, str]] = {
    "pdf": ("pdf", "Review of {month}, v{version}, to print", "The whole review."),
    "csv": ("csv", "Review of {month}, v{version}: figures, lists, alerts", "A CSV for each list, in one archive."),
}
CHART, CHART_NAME = "{title} ({month}, v{version})", "{stem}-{name}.png"
LONGEST_TITLE, LONGEST_ALT = 200, 600


def draw(config: Config, connection: sa.Connection, post: Post) -> Drawing:
    """exhibit:2026-10:1:chart.alerts-per-day, exhibit:2026-10:1:pdf; only what both sides may see."""
    _, month, version, what = post.key.split(":")
    kept = reviews.sealed(connection, month, int(version))
    if kept is None:
        raise LookupError(post.key)
    found = reading.read(connection, kept, choosing.named(config, month, kept.made_at))
    try:
        file = _document(connection, config, found, what) if what in DOCUMENTS else _chart(found, what.removeprefix("chart."))
    except Misbuilt as missing:             # without the extra `report`: said once, in its place
        return Drawing(escape(str(missing), LONGEST_ALT))
    return Drawing(escape(file.alt, LONGEST_ALT), file=file)


def _document(connection: sa.Connection, config: Config, found: Read, what: str) -> File:
    form, title, alt = DOCUMENTS[what]
    copy = giving.give(connection, config, found, None, form)
    return File(copy.name, title.format(**_told(found)), alt, copy.body)


def _chart(found: Read, name: str) -> File:
    shared = audience.shown_to(found.review, None)
    front = [each for each in charts.of(shared) if f"chart.{each.name}" in posting.exhibits(shared)]
    chart = next(each for each in front if each.name == name)
    title = CHART.format(title=chart.title[:LONGEST_TITLE], **_told(found))
    return File(CHART_NAME.format(stem=giving.stem(found), name=name), title, chart.alt, charts.draw(front, "png")[name])


def _told(found: Read) -> dict[str, str | int]:
    return {"month": wording.month(found.month.name), "version": found.review.version}
