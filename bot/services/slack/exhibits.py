"""What is attached to a review's message: charts as pictures with words for those who do not see them, PDF, CSV."""

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Misbuilt
from bot.review import Review
from bot.review.forms import Signed, audience, charts, document, sheets, wording
from bot.services.review import choosing, posting, reading
from bot.services.review.reading import Read
from bot.services.slack.drawing import Drawing, File, escape
from bot.store import reviews
from bot.store.cards import Post

REPORT, LISTS = "Review of {month}, v{version}, to print", "Review of {month}, v{version}: figures and lists"
REPORT_ALT, LISTS_ALT = "The whole review.", "A CSV for each list, in one archive."
CHART = "{title} ({month}, v{version})"
NAME = "vigie-{month}-v{version}{what}"
LONGEST_TITLE, LONGEST_ALT = 200, 600


def draw(config: Config, connection: sa.Connection, post: Post) -> Drawing:
    """exhibit:2026-10:1:chart.alerts-per-day, exhibit:2026-10:1:pdf; only what both sides may see."""
    _, month, version, what = post.key.split(":")
    kept = reviews.sealed(connection, month, int(version))
    if kept is None:
        raise LookupError(post.key)
    found = reading.read(connection, kept, choosing.named(config, month, kept.made_at))
    shared = audience.shown_to(found.review, None)
    try:
        file = _file(config, found, shared, what)
    except Misbuilt as missing:             # without the extra `report`: said once, in its place
        return Drawing(escape(str(missing), LONGEST_ALT))
    return Drawing(escape(file.alt, LONGEST_ALT), file=file)


def _file(config: Config, found: Read, shared: Review, what: str) -> File:
    given = {"month": wording.month(shared.month), "version": shared.version}
    if what == "csv":
        content = sheets.archive(sheets.csv(shared, found.digest))
        return File(_name(shared, ".csv.zip"), LISTS.format(**given), LISTS_ALT, content)
    if what == "pdf":
        pictures = charts.draw(charts.of(shared), "svg")
        content = document.pdf(shared, found.digest, pictures, _signed(config, found))
        return File(_name(shared, ".pdf"), REPORT.format(**given), REPORT_ALT, content)
    chosen = what.removeprefix("chart.")
    front = [each for each in charts.of(shared) if f"chart.{each.name}" in posting.exhibits(shared)]
    chart = next(each for each in front if each.name == chosen)
    title = CHART.format(title=chart.title[:LONGEST_TITLE], **given)
    return File(_name(shared, f"-{chosen}.png"), title, chart.alt, charts.draw(front, "png")[chosen])


def _name(review: Review, what: str) -> str:
    return NAME.format(month=review.month, version=review.version, what=what)


def _signed(config: Config, found: Read) -> list[Signed]:
    people, every = config.people, config.organisations
    return [
        Signed(every[each.organisation].name, people[each.person].name, each.at)
        for each in found.signatures if each.person in people and each.organisation in every
    ]
