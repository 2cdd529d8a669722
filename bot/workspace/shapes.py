"""Small checks that combine: each takes a value and its place and yields what is wrong there."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Check = Callable[[Any, str], Iterator[str]]


def fault(why: str, place: str) -> str:
    return f"[ERROR] {why} [json-pointer:{place}]"


def anything(value: Any, place: str) -> Iterator[str]:
    """For what Slack takes as it is, or what is checked elsewhere."""
    yield from ()


def boolean(value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield fault("must be a boolean", place)


def integer(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield fault("must be an integer", place)


def string(most: int, least: int = 1) -> Check:
    """A string of `least` to `most` characters."""

    def check(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield fault("must be a string", place)
        elif len(value) > most:
            yield fault(f"must be less than {most + 1} characters", place)
        elif len(value) < least:
            yield fault(f"must be more than {least - 1} characters", place)

    return check


def url(value: Any, place: str) -> Iterator[str]:
    yield from string(3000)(value, place)
    if isinstance(value, str) and "://" not in value and not value.startswith("mailto:"):
        yield fault("invalid url", place)


def one_of(*choices: str) -> Check:
    """One word of a closed list."""

    def check(value: Any, place: str) -> Iterator[str]:
        if value not in choices:
            yield fault(f"must be one of: {', '.join(choices)}", place)

    return check


def many(item: Check, most: int, least: int = 1) -> Check:
    """A list of `least` to `most` items, each checked."""

    def check(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield fault("must be an array", place)
            return
        if len(value) > most:
            yield fault(f"no more than {most} items allowed", place)
        if len(value) < least:
            yield fault(f"no less than {least} items allowed", place)
        for at, one in enumerate(value):
            yield from item(one, f"{place}/{at}")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    """An object with exactly these properties; `type` is the business of `tagged`."""
    known = {**required, **optional, "type": anything}

    def check(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield fault("must be an object", place)
            return
        for name in required:
            if name not in value:
                yield fault(f"missing required field: {name}", place)
        for name, inner in value.items():
            if name not in known:
                yield fault(f"invalid additional property: {name}", place)
            else:
                yield from known[name](inner, f"{place}/{name}")

    return check


def tagged(kinds: Mapping[str, Check]) -> Check:
    """An object whose `type` says which check it must pass."""

    def check(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield fault("must be an object", place)
        elif "type" not in value:
            yield fault("missing required field: type", place)
        elif not isinstance(value["type"], str) or value["type"] not in kinds:
            yield fault(f"unsupported type: {value['type']}", f"{place}/type")
        else:
            yield from kinds[value["type"]](value, place)

    return check


def also(check: Check, *rules: Check) -> Check:
    """A check and, when the value has its shape, further rules over the whole of it."""

    def both(value: Any, place: str) -> Iterator[str]:
        found = list(check(value, place))
        yield from found
        if not found:
            for rule in rules:
                yield from rule(value, place)

    return both


def exactly_one(*names: str) -> Check:
    """Of these properties one must be there, and only one."""

    def check(value: Any, place: str) -> Iterator[str]:
        there = [name for name in names if name in value]
        if len(there) != 1:
            yield fault(f"must have exactly one of: {', '.join(names)}", place)

    return check


def at_least_one(*names: str) -> Check:
    """Of these properties at least one must be there."""

    def check(value: Any, place: str) -> Iterator[str]:
        if not any(value.get(name) for name in names):
            yield fault(f"must have at least one of: {', '.join(names)}", place)

    return check
