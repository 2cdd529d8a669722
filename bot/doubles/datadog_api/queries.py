"""Datadog's search words for monitors, logs and events: `service:pay-api status:error -@retry:true "bank is down"`."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bot.doubles.datadog_api.wire import Refusal

TOO_HARD = "this double reads words, field:value, \"phrases\", * and -, joined by AND; it cannot read {what!r}"

_TOKEN = re.compile(r'(?P<no>-)?(?:(?P<field>@?[\w./@-]+):)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))')


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a query."""

    field: str | None
    value: str
    phrase: bool
    wanted: bool


def parse(query: str) -> list[Term]:
    """The terms of a query; raises Refusal on what this double cannot read, rather than to find too much."""
    terms = []
    for found in _TOKEN.finditer(query):
        word = found["word"]
        if word == "AND" and not found["field"]:
            continue
        if word is not None and (word in ("OR", "NOT") or set(word) & set("()[]<>{}")):
            raise Refusal(400, TOO_HARD.format(what=word))
        value = found["phrase"] if word is None else word
        terms.append(Term(found["field"], value.lower(), word is None, not found["no"]))
    return terms


def matches(terms: Sequence[Term], fields: Mapping[str, Collection[str]], text: str) -> bool:
    """Whether all terms are true of something with these fields (names and values in lower case) and this text."""
    return all(_holds(term, fields, text.lower()) == term.wanted for term in terms)


def fields_of(tags: Collection[str]) -> dict[str, set[str]]:
    """service:pay-api, env:prod as fields."""
    found: dict[str, set[str]] = {}
    for tag in tags:
        name, _, value = tag.lower().partition(":")
        found.setdefault(name, set()).add(value)
    return found


def _holds(term: Term, fields: Mapping[str, Collection[str]], text: str) -> bool:
    if term.field is not None:
        return any(_like(value, term) for value in fields.get(term.field.lower(), ()))
    if term.value == "*":
        return True
    return term.value in text if term.phrase else any(_like(word, term) for word in re.findall(r"[^\s,;]+", text))


def _like(value: str, term: Term) -> bool:
    return value == term.value if term.phrase else fnmatchcase(value, term.value)
