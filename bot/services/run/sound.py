"""What an action hands over, fit to be kept: JSON without signs that break a database, masked, bounded. Garbage is a fault."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from bot.decoding import clean
from bot.masking import mask, mask_text
from runbooks.actions import Attachment, Look, Outcome, Seen

LONGEST_SAID, LONGEST_LOG = 600, 200_000
SEEN = get_args(Seen)

GARBAGE = "an action gave {given} where {wanted} belongs"
CUT = "\n[{left:,} more characters were printed]"


def state(given: Any) -> dict[str, Any]:
    """Values as they will be read again; what JSON cannot hold is written as text. Raises what json does."""
    if not isinstance(given, Mapping):
        raise TypeError(GARBAGE.format(given=type(given).__name__, wanted="a mapping"))
    kept: dict[str, Any] = clean(json.loads(json.dumps(dict(given), default=str), parse_constant=str))
    return kept


def sentence(given: object, most: int = LONGEST_SAID) -> str:
    """Words for people: what stands beyond is not even looked at."""
    return mask_text(clean(str(given)[: most * 2]))[:most]


def outcome(given: Any) -> Outcome:
    if not isinstance(given, Outcome) or not all(isinstance(each, Attachment) for each in given.files):
        raise TypeError(GARBAGE.format(given=type(given).__name__, wanted="an outcome"))
    files = tuple(Attachment(sentence(each.name, 200), bytes(each.content), sentence(each.alt)) for each in given.files)
    return Outcome(sentence(given.said), mask(state(given.outputs)), _log(str(given.log)), files)


def look(given: Any) -> Look:
    if not isinstance(given, Look) or given.seen not in SEEN:
        raise TypeError(GARBAGE.format(given=type(given).__name__, wanted="a look"))
    return replace(given, said=sentence(given.said), outputs=mask(state(given.outputs)))


def _log(given: str) -> str:
    kept = sentence(given, LONGEST_LOG)
    return kept + CUT.format(left=len(given) - LONGEST_LOG) if len(given) > LONGEST_LOG else kept
