"""What alerts of a kind have in common, reckoned once for all of them: a month says the same a hundred thousand times."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from bot.config.matching import means
from bot.review.arithmetic.patterns import pattern
from runbooks.model import When

Word = TypeVar("Word", bound=str)
MOST_REMEMBERED = 20_000                # alerts that differ in their labels alone may be many


class Shown(NamedTuple):
    """What of an alert conditions of vigie.yaml can ask."""

    source: str
    service: str
    severity: str
    name: str
    labels: Mapping[str, str]


class Kind(NamedTuple):
    """What alerts share whose source, service, severity and labels are the same."""

    pattern: str
    drill: bool


class Kinds:
    """Every kind that was asked for, and every word."""

    def __init__(self, drills: When) -> None:
        self._drills = drills
        self._known: dict[tuple[str, str, str, str], Kind] = {}
        self._words: dict[Any, Any] = {}

    def of(self, source: str, service: str, severity: str, labels: str) -> Kind:
        """`labels` as their row has them."""
        key = source, service, severity, labels
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._kind(source, service, severity, json.loads(labels))
        return found

    def same(self, text: Word) -> Word:
        """One string for all that are alike."""
        found: Word = self._words.setdefault(text, text)
        return found

    def _kind(self, source: str, service: str, severity: str, labels: dict[str, str]) -> Kind:
        shown = Shown(source, service, severity, labels.get("name", ""), labels)
        return Kind(self.same(pattern(source, labels)), means(self._drills, shown))
