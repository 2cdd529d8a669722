"""Pure: walks entries and seals in order and names every fault; bounded memory, however long the journal.

SIGNATURE  a seal does not match its own hash, list or signature
ENTRY      an entry was changed, or inserted where it cannot be true
MISSING    a sealed entry was removed
MOVED      an entry or a seal stands where another stood
GAP        a seal between two seals was removed
TRUNCATED  the end was cut off
REWRITTEN  the chain was made anew
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.services.sealing import GENESIS, MOST, PERIOD, digest, hash_of, listed, name_of, root_of
from bot.store.journal import Entry, Seal

SIGNATURE, ENTRY, MISSING, MOVED = "SIGNATURE", "ENTRY", "MISSING", "MOVED"
GAP, TRUNCATED, REWRITTEN = "GAP", "TRUNCATED", "REWRITTEN"

LATE = timedelta(minutes=5)         # an entry older than the seal before it by more than this was written afterwards
KEPT = 1_000                        # faults that are told one by one

CHANGED = "entry {id} was changed after it was sealed"
INSERTED = "entry {id} was inserted: the seal over its place does not know it"
BACKDATED = (
    "entry {id} was inserted: it is dated {at:%Y-%m-%d %H:%M:%S} UTC, "
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


@dataclass(frozen=True, slots=True)
class Row:
    """What is kept of an entry until its seal comes."""

    id: int
    digest: str
    at: datetime


@dataclass(slots=True)
class Inspection:
    """Feed it entries and seals, each entry before its seal; say when the last seal is `behind`; then `finish`."""

    head: Head | None = None
    public_key: Ed25519PublicKey | None = None
    now: datetime | None = None
    behind: bool = False
    entries: int = 0
    seals: int = 0
    unsealed: int = 0
    faults: list[Fault] = field(default_factory=list)
    _rows: list[Row] = field(default_factory=list)
    _last: Seal | None = None
    _reached: int = 0                                        # all entries up to this one have been compared
    _floor: datetime | None = None                           # all that was written before this instant is sealed
    _shaken: bool = False                                    # the chain was broken here: find its thread again
    _tied: set[str] = field(default_factory=lambda: {GENESIS})      # what the next seal must name as the one before it
    _known: set[str] = field(default_factory=lambda: {GENESIS})     # what it may name after a break
    _orphans: dict[str, tuple[int, int]] = field(default_factory=dict)   # a hash not met -> fault, who names it
    _unsigned: Seal | None = None                            # the first seal without signature since the last with one
    _head_seen: bool = False
    _left: bool = False
    _lost: dict[str, int] = field(default_factory=dict)      # a digest that should be there -> its fault
    _found: dict[str, int] = field(default_factory=dict)     # a digest that should not be there -> its fault

    def entry(self, entry: Entry) -> None:
        self.entries += 1
        row = Row(entry.id, digest(entry), entry.at)
        if self.behind:
            self._unsealed(row)
        else:
            self._rows.append(row)

    def seal(self, seal: Seal) -> None:
        self.seals += 1
        sound = self._itself(seal)
        self._place(seal, sound)
        self._contents(seal)
        self._against_head(seal)
        self._last = seal
        # a full seal was not the end of what was written by then: it says nothing of the time of what follows
        if sound and not self._shaken and seal.count < MOST:
            self._floor = seal.sealed_at

    def finish(self) -> None:
        for row in self._rows:
            self._unsealed(row)
        if self.head and not self._head_seen:
            last = f"{self._last.id}:{self._last.hash[:12]}" if self._last else "none"
            self._fault(TRUNCATED, self.head.number or 0, HEAD_GONE, head=self.head, last=last)
        if self.public_key and self._unsigned:
            self._fault(SIGNATURE, self._unsigned.id, NEVER_SIGNED)
        self._name_the_moved()

    # --- a seal by itself, and in its place ---

    def _itself(self, seal: Seal) -> bool:
        why = self._signature(seal)
        if hash_of(seal) != seal.hash:
            why = SEAL_CHANGED
        elif root_of(seal.leaves) != seal.root or seal.leaves.count('"') != 2 * seal.count:
            why = LIST_CHANGED
        if why:
            self._fault(SIGNATURE, seal.id, why, key_id=seal.key_id)
        return why is None

    def _signature(self, seal: Seal) -> str | None:
        """Seals from before there was a key need none: a later signature vouches for them through the chain."""
        if not seal.key_id:
            self._unsigned = self._unsigned or seal
            return FORGED if seal.signature else None
        self._unsigned = None
        if not seal.signature:
            return UNSIGNED
        if self.public_key is None:
            return None
        if seal.key_id != name_of(self.public_key):
            return OTHER_KEY
        return None if _signed(seal, self.public_key) else FORGED

    def _place(self, seal: Seal, sound: bool) -> None:
        """Whether it follows the seal before it; after a break the chain is taken up at any seal met before."""
        number, begin = (self._last.id + 1, self._last.to_id + 1) if self._last else (1, 1)
        follows, adjoins = seal.previous in self._known, (seal.id, seal.from_id) == (number, begin)
        hashes = {seal.hash, hash_of(seal)}
        if sound and seal.previous in self._tied and adjoins:
            self._known, self._shaken = set(hashes), False
        else:
            if sound and not (follows and self._shaken):
                self._misplaced(seal, number, follows, adjoins)
            self._known |= hashes
            self._shaken = True
        self._tied = hashes
        if seal.hash in self._orphans:            # no seal was made anew, as was thought: they left their places
            index, id = self._orphans.pop(seal.hash)
            self.faults[index:index + 1] = [Fault(MOVED, id, SEAL_MISPLACED.format(id=id))]

    def _misplaced(self, seal: Seal, number: int, follows: bool, adjoins: bool) -> None:
        if follows:
            self._fault(MOVED, number, SEAL_MOVED, to=seal.id)
        elif seal.id > number:
            self._fault(GAP, number, SEALS_GONE if seal.id > number + 1 else SEAL_GONE, to=seal.id - 1)
        elif adjoins and self._last:
            self._orphans[seal.previous] = len(self.faults), seal.id
            self._fault(REWRITTEN, self._last.id, REMADE, next=seal.id)
        else:
            self._fault(MOVED, seal.id, SEAL_MISPLACED)

    def _against_head(self, seal: Seal) -> None:
        if self.head is None or self.head.number not in (None, seal.id):
            return
        matches = seal.hash.startswith(self.head.hash)
        if self.head.number and not matches:
            self._fault(REWRITTEN, seal.id, HEAD_DIFFERS)
        self._head_seen = self._head_seen or matches or self.head.number is not None

    # --- the entries under a seal ---

    def _contents(self, seal: Seal) -> None:
        rows = sorted((row for row in self._rows if row.id <= seal.to_id), key=attrgetter("id"))
        self._rows = [row for row in self._rows if row.id > seal.to_id]
        if seal.from_id <= self._reached:            # a seal out of its place, over entries compared before
            return
        self._reached = max(self._reached, seal.to_id)
        if listed((row.id, row.digest) for row in rows) != seal.leaves:
            self._compare(seal, rows)
        for row in rows:
            self._late(row)

    def _compare(self, seal: Seal, rows: list[Row]) -> None:
        if root_of(seal.leaves) != seal.root:        # the list itself is false: told already
            return
        expected: dict[int, str] = dict(json.loads(seal.leaves))
        actual = {row.id: row.digest for row in rows if row.id >= seal.from_id or not self._shaken}
        for id in sorted(expected.keys() | actual.keys()):
            self._differs(id, expected.get(id), actual.get(id))
        for row, other in pairwise(rows):            # no table has an id twice, but an export may
            if row.id == other.id:
                self._fault(ENTRY, row.id, INSERTED)

    def _differs(self, id: int, expected: str | None, actual: str | None) -> None:
        if expected == actual:
            return
        if expected and len(self.faults) < KEPT:
            self._lost[expected] = len(self.faults)
        if actual and len(self.faults) < KEPT:
            self._found[actual] = len(self.faults)
        if actual is None:
            self._fault(MISSING, id, REMOVED)
        else:
            self._fault(ENTRY, id, CHANGED if expected else INSERTED)

    def _late(self, row: Row) -> bool:
        if self._floor is None or row.at >= self._floor - LATE:
            return False
        self._found.setdefault(row.digest, len(self.faults))
        self._fault(ENTRY, row.id, BACKDATED, at=row.at, floor=self._floor)
        return True

    def _unsealed(self, row: Row) -> None:
        self.unsealed += 1
        if row.id <= self._reached:
            self._found.setdefault(row.digest, len(self.faults))
            self._fault(ENTRY, row.id, INSERTED)
        elif not self._late(row) and not self._left and self.now and self.now - row.at > 2 * PERIOD:
            self._left = True
            self._fault(TRUNCATED, row.id, LEFT)

    # --- telling ---

    def _fault(self, kind: str, id: int, why: str, **words: Any) -> None:
        if len(self.faults) < KEPT:
            self.faults.append(Fault(kind, id, why.format(id=id, **words)))

    def _name_the_moved(self) -> None:
        """An entry that is missed in one place and too much in another was moved."""
        for content in self._lost.keys() & self._found.keys():
            here, there = self._lost[content], self._found[content]
            id, to = self.faults[here].id, self.faults[there].id
            self.faults[here] = Fault(MOVED, id, MOVED_ENTRY.format(id=id, to=to))
            if self.faults[there].kind == ENTRY:
                self.faults[there] = Fault(MOVED, to, EXCHANGED.format(id=to, origin=id))


def _signed(seal: Seal, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(bytes.fromhex(seal.signature or ""), seal.hash.encode())
    except (InvalidSignature, ValueError):
        return False
    return True
