"""The journal of the month, as evidence: how much of it there is, and whether its chain is whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Trail:
    """What the journal has of the month. `ok` None: it was not looked at whole."""

    entries: int = 0
    ok: bool | None = None
    head: str | None = None                 # hash of the last seal that counts
    sealed_to: int = 0                      # the newest entry that it covers
    first_bad: int | None = None
    why: str | None = None
    kinds: Mapping[str, int] = field(default_factory=dict)      # entries of the month, by kind
    refused: int = 0                        # of them, refused
    masked: Mapping[str, int] = field(default_factory=dict)     # card numbers masked, by endpoint
    seals: int = 0
    days_sealed: int = 0                    # days of the month on which the head was posted
    began: datetime | None = None           # when Vigie did: its first entry, or the first alert, if that is older
