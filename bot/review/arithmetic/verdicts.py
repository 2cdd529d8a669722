"""Verdicts: what people said of the alerts that they handled, and of how many they have not said it yet."""

from dataclasses import dataclass

from bot.review import N_, Definition, Figure
from bot.review.arithmetic.endings import by_people
from bot.review.arithmetic.numbers import share
from bot.review.arithmetic.once import once
from bot.review.facts import Facts, Group

NOT_NEEDED = frozenset({"noise", "duplicate"})
OPEN = N_("still open: a verdict is given at the end")
NOBODY = N_("nobody handled an alert that has ended")

COVERAGE = Definition(
    "verdict_coverage", N_("Alerts with a verdict"),
    N_("Alerts that a person handled, that have ended and have a verdict, by all that a person handled and that have ended."),
    "share", source="rota.md 6.3", better="more",
)


@dataclass(frozen=True, slots=True)
class Coverage:
    given: tuple[Group, ...]
    missing: tuple[Group, ...]
    waiting: int                            # handled, and still open

    @property
    def share(self) -> float | None:
        return share(len(self.given), len(self.given) + len(self.missing))


@once
def coverage(facts: Facts) -> Coverage:
    """Of alerts that a person handled; verdicts on others count as verdicts, not as coverage."""
    handled = by_people(facts.groups)
    ended = [each for each in handled if each.ending != "open"]
    given, missing = (tuple(each for each in ended if bool(each.verdict) == said) for said in (True, False))
    return Coverage(given, missing, len(handled) - len(ended))


def covered(facts: Facts, behind: str) -> Figure:
    """The figure of it, grey below what vigie.yaml asks for."""
    found = coverage(facts)
    left_out = {OPEN: found.waiting} if found.waiting else {}
    return COVERAGE.of(
        found.share, len(found.given) + len(found.missing), left_out, behind=behind,
        why=NOBODY if found.share is None else None, grey=is_grey(facts, found),
    )


def is_grey(facts: Facts, found: Coverage) -> bool:
    return found.share is None or found.share < facts.config.month.verdict_coverage
