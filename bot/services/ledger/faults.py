"""The words of an audit: the kinds of fault, and the sentences that tell them.

SIGNATURE  a seal does not match its own hash, list or signature
ENTRY      an entry was changed, or inserted where it cannot be true
MISSING    a sealed entry was removed
MOVED      an entry or a seal stands where another stood
GAP        a seal between two seals was removed
TRUNCATED  the end was cut off
REWRITTEN  the chain was made anew
"""

from dataclasses import dataclass

SIGNATURE, ENTRY, MISSING, MOVED = "SIGNATURE", "ENTRY", "MISSING", "MOVED"
GAP, TRUNCATED, REWRITTEN = "GAP", "TRUNCATED", "REWRITTEN"

CHANGED = "entry {id} was changed after it was sealed"
INSERTED = "entry {id} was inserted: the seal over its place does not know it"
BACKDATED = (
    "entry {id} was inserted: it is dated {at} UTC, "
    "but all that was written up to {floor:%Y-%m-%d %H:%M:%S} UTC was sealed before it"
)
REMOVED = "entry {id} was removed"
MOVED_ENTRY = "entry {id} now stands at {to}"
EXCHANGED = "entry {id} was replaced by entry {origin}"
SEAL_CHANGED = "seal {id} was changed: it does not match its hash"
LIST_CHANGED = "seal {id} was changed: its list of entries does not match its root"
UNSIGNED = "seal {id} has lost its signature"
NEVER_SIGNED = "seal {id} and those after it are not signed"
OTHER_KEY = "seal {id} was signed with another key ({key_id})"
FORGED = "seal {id} has a false signature"
SEAL_GONE = "seal {id} was removed"
SEALS_GONE = "seals {id} to {to} were removed"
SEAL_MISPLACED = "seal {id} does not belong in this place of the chain"
SEAL_MOVED = "seal {id} now stands at {to}"
REMADE = "seal {id} is not the one that seal {next} was tied to: the journal was written anew up to there"
HEAD_DIFFERS = "seal {id} is not the one that was posted: the journal was written anew"
HEAD_GONE = "the seal that was posted ({head}) is not there: the newest is {last}"
LEFT = "entry {id} and those after it were never sealed, or their seals were cut off"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, with the number of the entry (or of the seal, where the sentence says seal)."""

    kind: str
    id: int
    why: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.why}"


@dataclass(frozen=True, slots=True)
class Head:
    """A seal as it was posted outside our reach; the number may be unknown, the hash may be its beginning."""

    hash: str
    number: int | None = None

    def __str__(self) -> str:
        return f"{self.number}:{self.hash[:12]}" if self.number else self.hash[:12]
