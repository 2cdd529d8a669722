"""The figures of a country, one versioned file each, with the articles they come from; agreements replace single figures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bot.labour import Agreement, Figures
from bot.labour.arithmetic.days import Hours, WrongHours

FOLDER = Path(__file__).parent
WEAKEST_LAST = "POSMJ"          # primary text, official excerpt, secondary source, memory, judgement
CITED = "{source}; {title}"

NO_PROFILE = 'no working-time profile is called "{name}"; there are {known}'
NO_RULE = '{title}: {profile} has no rule "{rule}"; it has {known}'
NO_FIGURE = '{title}: {rule} of {profile} has no figure "{parameter}"; it has {known}'
NOT_ALIKE = "{title}: {rule} {parameter} cannot be {value!r}: it is as in {now}"
BEYOND = "{title}: {rule} {parameter} cannot be {value}: no agreement may go {way} {limit} ({source})"


class UnknownProfile(ValueError):
    """There is no such profile."""


class WrongAgreement(ValueError):
    """An agreement replaces something that is not there, or by more than the law leaves to it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a rule, with how sure we are of it; `least` and `most` are what the law leaves to agreements."""

    value: Any
    source: str
    confidence: str                 # P, O, S, M, J
    valid_from: date                # the first day for which this profile vouches for it
    checked_on: date
    least: float | None = None
    most: float | None = None
    limit_source: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A country's figures by rule, with the agreements of an employer applied."""

    id: str
    title: str
    week_start: str
    figures: Mapping[str, Figures]
    details: Mapping[str, Mapping[str, Figure]]
    agreements: tuple[Agreement, ...] = ()


def known() -> list[str]:
    """The profiles that can be loaded."""
    return sorted(each.stem for each in FOLDER.glob("*.yaml"))


def load(profile_id: str, agreements: Iterable[Agreement] = ()) -> Profile:
    """Raises UnknownProfile, and WrongAgreement if the profile has no such figure or the law leaves no room for that value."""
    if profile_id not in known():
        raise UnknownProfile(NO_PROFILE.format(name=profile_id, known=", ".join(known())))
    profile = _read(profile_id)
    for each in agreements:
        profile = _with(profile, each)
    return profile


@cache
def _read(profile_id: str) -> Profile:
    data = YAML(typ="safe").load((FOLDER / f"{profile_id}.yaml").read_text(encoding="utf-8"))
    everywhere = {"valid_from": data["valid_from"], "checked_on": data["checked_on"]}
    details = {
        name: {parameter: Figure(**{**everywhere, **each}) for parameter, each in figures.items()}
        for name, figures in data["rules"].items()
    }
    figures = {name: _figures(each) for name, each in details.items()}
    return Profile(data["id"], data["title"], data["week_start"], figures, details)


def _figures(details: Mapping[str, Figure]) -> Figures:
    """A rule is as sure as its least sure figure, and as fresh as its oldest."""
    values = {parameter: each.value for parameter, each in details.items()}
    sources = dict.fromkeys(source for each in details.values() for source in each.source.split("; "))
    confidence = max((each.confidence for each in details.values()), key=WEAKEST_LAST.index)
    return Figures(values, "; ".join(sources), confidence, min(each.checked_on for each in details.values()))


# --- agreements -----------------------------------------------------------------------------------------------------------


def _with(profile: Profile, agreement: Agreement) -> Profile:
    details = profile.details.get(agreement.rule)
    names = {"title": agreement.title, "profile": profile.id, "rule": agreement.rule, "parameter": agreement.parameter}
    if details is None:
        raise WrongAgreement(NO_RULE.format(known=", ".join(profile.figures), **names))
    if agreement.parameter not in details:
        raise WrongAgreement(NO_FIGURE.format(known=", ".join(details), **names))
    figure = details[agreement.parameter]
    _check(agreement, figure)
    cited = replace(figure, value=agreement.value, source=CITED.format(source=figure.source, title=agreement.title))
    changed = {**details, agreement.parameter: cited}
    return replace(
        profile, figures={**profile.figures, agreement.rule: _figures(changed)},
        details={**profile.details, agreement.rule: changed}, agreements=(*profile.agreements, agreement),
    )


def _check(agreement: Agreement, figure: Figure) -> None:
    """The value is of the figure's kind, and within what the law leaves to agreements."""
    value, words = agreement.value, {"title": agreement.title, "rule": agreement.rule, "parameter": agreement.parameter}
    if isinstance(figure.value, str | list):
        if not _alike(value, figure.value):
            raise WrongAgreement(NOT_ALIKE.format(value=value, now=figure.value, **words))
    elif isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise WrongAgreement(NOT_ALIKE.format(value=value, now=figure.value or "16, a number", **words))
    elif figure.least is not None and value < figure.least:
        raise WrongAgreement(BEYOND.format(value=value, way="below", limit=figure.least, source=figure.limit_source, **words))
    elif figure.most is not None and value > figure.most:
        raise WrongAgreement(BEYOND.format(value=value, way="above", limit=figure.most, source=figure.limit_source, **words))


def _alike(value: Any, now: str | list[str]) -> bool:
    """A list for a list, hours of the day for hours of the day."""
    if isinstance(now, list) or not isinstance(value, str):
        return isinstance(value, type(now))
    return _is_hours(value) or not _is_hours(now)


def _is_hours(text: str) -> bool:
    try:
        Hours.parse(text)
    except WrongHours:
        return False
    return True
