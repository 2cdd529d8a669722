"""`${{ params.x }}`: the references in a runbook. They only name values; there is no logic in them, and there never will be."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

REFERENCE = re.compile(r"\$\{\{\s*([A-Za-z0-9_.-]+)\s*\}\}")

UNKNOWN = "nothing is called {name} here"


class Unknown(Exception):
    """A reference to something that is not there; the message says which."""


def references(content: Any) -> Iterator[str]:
    """The names in a document: params.cluster, steps.find.outputs.target, alert.service, alert.label.host."""
    if isinstance(content, str):
        yield from REFERENCE.findall(content)
    elif isinstance(content, Mapping):
        for each in content.values():
            yield from references(each)
    elif isinstance(content, list | tuple):
        for each in content:
            yield from references(each)


def fill(content: Any, values: Mapping[str, Any]) -> Any:
    """The document with values for names; what is a reference and nothing else keeps the value's type. Raises Unknown."""
    if isinstance(content, str):
        whole = REFERENCE.fullmatch(content.strip())
        if whole:
            return _value(whole[1], values)
        return REFERENCE.sub(lambda found: _text(_value(found[1], values)), content)
    if isinstance(content, Mapping):
        return {key: fill(each, values) for key, each in content.items()}
    if isinstance(content, list | tuple):
        return [fill(each, values) for each in content]
    return content


def _text(value: Any) -> str:
    """Within other words: a list as people write one."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _value(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise Unknown(UNKNOWN.format(name=name))
    return values[name]
