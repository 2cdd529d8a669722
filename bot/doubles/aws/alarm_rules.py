"""The rule of a composite alarm: ALARM("a") AND NOT (OK("b") OR INSUFFICIENT_DATA("c"))."""

import re
from collections.abc import Callable

from bot.doubles.aws.wire import Refusal

_WORD = re.compile(r"""\s* (?: (AND|OR|NOT|TRUE|FALSE)\b | ([()])
                       | (ALARM|OK|INSUFFICIENT_DATA) \( \s* (?: "([^"]+)" | '([^']+)' | ([^\s"')]+) ) \s* \) )""", re.VERBOSE)

State = Callable[[str], str]


def holds(rule: str, state: State) -> bool:
    """`state` tells the state of an alarm by name; children may be named by ARN. Raises Refusal."""
    reader = _Reader(rule, state)
    found = reader.either()
    if reader.rest.strip():
        raise _wrong(reader.rest)
    return found


class _Reader:
    """Reads the rule from left to right: OR binds least, NOT most."""

    def __init__(self, rule: str, state: State) -> None:
        self.rest, self.state = rule, state

    def either(self) -> bool:
        found = self.both()
        while self.take("OR"):
            found = self.both() or found
        return found

    def both(self) -> bool:
        found = self.one()
        while self.take("AND"):
            found = self.one() and found
        return found

    def one(self) -> bool:
        if self.take("NOT"):
            return not self.one()
        if self.take("("):
            found = self.either()
            if not self.take(")"):
                raise _wrong(self.rest)
            return found
        return self._fact()

    def _fact(self) -> bool:
        word = _WORD.match(self.rest)
        if word is None or not (word[3] or word[1] in ("TRUE", "FALSE")):
            raise _wrong(self.rest)
        self.rest = self.rest[word.end():]
        if not word[3]:
            return word[1] == "TRUE"
        name = (word[4] or word[5] or word[6]).split(":alarm:")[-1]
        return self.state(name) == word[3]

    def take(self, wanted: str) -> bool:
        word = _WORD.match(self.rest)
        if word is None or wanted not in (word[1], word[2]):
            return False
        self.rest = self.rest[word.end():]
        return True


def _wrong(rest: str) -> Refusal:
    return Refusal("ValidationError", f"AlarmRule must not contain invalid syntax, near: {rest[:40]}")
