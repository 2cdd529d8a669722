"""Which alerts a condition means; pure, and the same for rules, symptoms and runbooks."""

import fnmatch
from collections.abc import Mapping
from typing import Protocol

from runbooks.model import When


class Shown(Protocol):
    """What of an alert can be asked."""

    @property
    def source(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, str]: ...


def means(when: When, alert: Shown) -> bool:
    """Whether every condition that is given holds; names and label values may hold * and ?."""
    return (
        (not when.service or alert.service in when.service)
        and (not when.severity or alert.severity in when.severity)
        and (not when.source or alert.source in when.source)
        and (not when.name or any(fnmatch.fnmatchcase(alert.name.lower(), each.lower()) for each in when.name))
        and all(fnmatch.fnmatchcase(alert.labels.get(key, ""), value) for key, value in when.labels.items())
    )


def covers(wide: When, narrow: When) -> bool:
    """Whether every alert that `narrow` is about is one that `wide` is about; never wrongly says yes."""
    return (
        _covers(wide.service, narrow.service)
        and _covers(wide.severity, narrow.severity)
        and _covers(wide.source, narrow.source)
        and (not wide.name or _names_cover(wide.name, narrow.name))
        and all(
            key in narrow.labels and _pattern_covers(value, narrow.labels[key]) for key, value in wide.labels.items()
        )
    )


def _covers(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def _names_cover(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    return bool(narrow) and all(any(_pattern_covers(one.lower(), each.lower()) for one in wide) for each in narrow)


def _pattern_covers(wide: str, narrow: str) -> bool:
    plain = not any(sign in narrow for sign in "*?[")
    return wide in ("*", narrow) or (plain and fnmatch.fnmatchcase(narrow, wide))
