"""HTTP: the monthly review behind a signed link that ends; who it was made for is written down when it is read."""

import asyncio
import gzip
import re
from collections.abc import Sequence
from html import escape

import structlog
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import Misbuilt, Refused, Unavailable
from bot.review.facts.month import WRITTEN
from bot.review.forms import page
from bot.services.desk import VIGIE, Desk
from bot.services.ledger import journal
from bot.services.review import giving, links, reading
from bot.services.review.giving import FORMS, MEDIA, Copy, Form
from bot.services.review.links import Expired, Forged, Ticket

log = structlog.get_logger()

AT_ONCE = 2                             # reviews that are reckoned at a time: each takes seconds of a core
FILE = re.compile(r"(?P<month>[^.]*)(\.(?P<form>[a-z]+))?")
DOCUMENTS = (("pdf", "PDF"), ("csv", "Figures and lists (CSV)"), ("json", "JSON"))

OVER, NOT_OURS = "This link is over", "This link opens nothing"
ASK = "Links to reports work for a while only. Ask for a new one in Slack: {command} review {month}"
NO_FORM, FORM_IS = "There is no such form of the report", "A report is one of: {forms}."
NOT_THERE, NOT_NOW, BROKEN = "That report is not there", "The report cannot be shown now", "The report could not be made"
REFERENCE = "It was our fault; the log has it under reference {reference}."

STYLE = "body{max-width:36rem;margin:4rem auto;padding:0 1rem;font:1.1rem/1.5 sans-serif;color:#1b1f24;background:#fff}"
SAYING = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title><style>{style}</style><main><h1>{title}</h1><p>{words}</p></main></html>\n"
)
HEADERS = {
    "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
}
SMALLER, LEVEL = (MEDIA["html"], MEDIA["json"]), 5
FRAMES = "; frame-ancestors 'none'"


class Reports:
    """The path /reports/{month}, with an ending or `?format=` for other forms than the page."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._room = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> Sequence[Route]:
        return [Route("/reports/{month}", self.report, methods=["GET"])]

    async def report(self, request: Request) -> Response:
        """200 with the report; 403 with a page that says how to get a link that works."""
        named = FILE.fullmatch(request.path_params["month"])
        month = named["month"] if named else ""
        try:
            ticket = links.open_(self._desk, month, request.query_params.get("key", ""), self._desk.clock.now())
        except (Expired, Forged) as refusal:
            return self._closed(month, refusal)
        form = (named and named["form"]) or request.query_params.get("format", "html")
        if form not in FORMS:
            return saying(404, NO_FORM, FORM_IS.format(forms=", ".join(FORMS)))
        if request.method == "HEAD":
            return Response(headers=HEADERS, media_type=MEDIA[form])
        answer = await self._answer(ticket, form, request.url)
        return packed(answer) if "gzip" in request.headers.get("accept-encoding", "") else answer

    async def _answer(self, ticket: Ticket, form: Form, url: URL) -> Response:
        try:
            async with self._room:
                return _shown(await asyncio.to_thread(self._made, ticket, form, url), form)
        except Refused as refusal:
            return saying(404, NOT_THERE, str(refusal))
        except (Misbuilt, Unavailable) as problem:
            log.warning("report not made", month=ticket.month, form=form, error=str(problem))
            return saying(503, NOT_NOW, str(problem))
        except Exception as error:  # the edge of the entrypoint: whoever reads gets a sentence, we the rest
            reference = self._desk.ids.new()[:8]
            log.exception("report failed", month=ticket.month, form=form, reference=reference, error=type(error).__name__)
            return saying(500, BROKEN, REFERENCE.format(reference=reference))

    def _made(self, ticket: Ticket, form: Form, url: URL) -> Copy:
        desk, now = self._desk, self._desk.clock.now()
        with desk.read() as connection:
            found = reading.get(connection, desk.config, ticket.month, now, ticket.version)
            copy = giving.give(connection, desk.config, found, ticket.audience, form, _others(url, ticket.month))
        with desk.begin("review read") as connection:
            journal.record(
                connection, actor=VIGIE, kind="review read", object=f"review:{ticket.month}", outcome="done", at=now,
                version=ticket.version, audience=ticket.audience, made_for=ticket.person, form=form,
            )
        return copy

    def _closed(self, month: str, refusal: Exception) -> Response:
        log.warning("report refused", reason=type(refusal).__name__.lower())
        asked = month if WRITTEN.fullmatch(month) else ""
        words = ASK.format(command=self._desk.config.command, month=asked).strip()
        return saying(403, OVER if isinstance(refusal, Expired) else NOT_OURS, words)


def _others(url: URL, month: str) -> giving.Files:
    """Where the other forms are, from the page's own address."""
    return tuple((name, f"{month}?{url.include_query_params(format=form).query}") for form, name in DOCUMENTS)


def _shown(copy: Copy, form: Form) -> Response:
    how = "inline" if form in ("html", "pdf") else "attachment"
    headers = {**HEADERS, "Content-Disposition": f'{how}; filename="{copy.name}"'}
    if form == "html":
        headers["Content-Security-Policy"] = page.policy() + FRAMES
    return Response(copy.body, headers=headers, media_type=copy.media)


def packed(answer: Response) -> Response:
    """A page of thousands of rows is ten times as quick through a thin line."""
    if str(answer.media_type) in SMALLER:
        answer.body = gzip.compress(bytes(answer.body), LEVEL)
        answer.headers["Content-Length"], answer.headers["Content-Encoding"] = str(len(answer.body)), "gzip"
    return answer


def saying(status: int, title: str, words: str) -> Response:
    """A page that says one thing."""
    text = SAYING.format(title=escape(title), words=escape(words), style=STYLE)
    headers = {**HEADERS, "Content-Security-Policy": f"default-src 'none'; style-src {page.hash_of(STYLE)}{FRAMES}"}
    return Response(text, status, headers=headers, media_type=MEDIA["html"])
