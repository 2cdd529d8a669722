"""A copy of a review for whoever may see it: as a page, a PDF, tables or JSON, with the name under which it is kept."""

import json
from dataclasses import dataclass
from typing import Literal, get_args

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.review.forms import Signed, audience, charts, document, machine, page, sheets
from bot.services.review.facts import gathering
from bot.services.review.reading import Read

Form = Literal["html", "pdf", "csv", "json"]

FORMS: tuple[Form, ...] = get_args(Form)
MEDIA = {
    "html": "text/html; charset=utf-8", "pdf": "application/pdf", "csv": "application/zip", "json": "application/json",
}
SUFFIXES = {"csv": "zip"}           # more than one table: they travel together
NO_SIDE = "There is no organisation {given} in vigie.yaml: {known}."

Files = tuple[tuple[str, str], ...]     # the other forms: their names and addresses


@dataclass(frozen=True, slots=True)
class Copy:
    name: str                       # vigie-2026-10-v1-bridge.pdf
    media: str
    body: bytes


def give(connection: sa.Connection, config: Config, found: Read, side: str | None, form: Form, files: Files = ()) -> Copy:
    """The review in that form, without what is only for others than `side`; None: what both may see.

    Raises Refused for an unknown side, Misbuilt when the extra `report` is wanted and not there.
    """
    _known(config, side)
    body = _body(connection, config, found, side, form, files)
    return Copy(f"{stem(found, side)}.{SUFFIXES.get(form, form)}", MEDIA[form], body)


def _known(config: Config, side: str | None) -> None:
    if side is not None and side not in config.organisations:
        raise Refused(NO_SIDE.format(given=side, known=", ".join(config.organisations)))


def stem(found: Read, side: str | None = None) -> str:
    """The name of a copy, without its ending."""
    version = f"v{found.sealed.version}" if found.sealed else "so-far" if found.month.is_open else "unsealed"
    return "-".join(filter(None, ("vigie", found.month.name, version, side)))


def tables(connection: sa.Connection, config: Config, found: Read, side: str | None) -> dict[str, str]:
    """The CSV files by name; the alerts are read again, as they were known then. Raises Refused for an unknown side."""
    _known(config, side)
    facts = gathering.facts(connection, config, found.month)
    return sheets.csv(audience.shown_to(found.review, side), found.digest, facts)


def answer(found: Read, side: str | None) -> str:
    """The JSON."""
    signed = [{"organisation": each.organisation, "person": each.person, "at": each.at.isoformat()} for each in found.signatures]
    made = machine.json_of(audience.shown_to(found.review, side), found.digest)
    return json.dumps({**made, "signatures": signed}, ensure_ascii=False, indent=2) + "\n"


def _body(connection: sa.Connection, config: Config, found: Read, side: str | None, form: Form, files: Files) -> bytes:
    if form == "json":
        return answer(found, side).encode()
    if form == "csv":
        return sheets.archive(tables(connection, config, found, side))
    review = audience.shown_to(found.review, side)
    pictures, signed = charts.draw(charts.of(review), "svg"), signatures(config, found)
    made_for = config.organisations[side].name if side else None
    if form == "pdf":
        return document.pdf(review, found.digest, pictures, signed, made_for)
    return page.html(review, found.digest, pictures, signed, made_for, files).encode()


def signatures(config: Config, found: Read) -> tuple[Signed, ...]:
    """Who signed it, by the names that vigie.yaml has for them."""
    return tuple(
        Signed(
            config.organisations[each.organisation].name if each.organisation in config.organisations else each.organisation,
            config.people[each.person].name if each.person in config.people else each.person, each.at,
        )
        for each in found.signatures
    )
