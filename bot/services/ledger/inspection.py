"""Pure: walks entries and seals in order and names every fault; bounded memory, however long the journal."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.services.ledger import faults as say
from bot.services.ledger.faults import ENTRY, GAP, MISSING, MOVED, REWRITTEN, SIGNATURE, TRUNCATED, Fault, Head
from bot.services.ledger.sealing import GENESIS, MOST, PERIOD, digest, hash_of, instant, listed, name_of, root_of
from bot.store.journal import Line, Seal

LATE = timedelta(minutes=5)         # an entry older than the seal before it by more than this was written afterwards
KEPT = 1_000                        # faults that are told one by one


class Row(NamedTuple):
    """What is kept of an entry until its seal comes."""

    id: int
    digest: str
    at: str


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
    _early: str = ""                                         # an entry that is older than this was written afterwards
    _shaken: bool = False                                    # the chain was broken here: find its thread again
    _tied: set[str] = field(default_factory=lambda: {GENESIS})      # what the next seal must name as the one before it
    _known: set[str] = field(default_factory=lambda: {GENESIS})     # what it may name after a break
    _orphans: dict[str, tuple[int, int]] = field(default_factory=dict)   # a hash not met -> fault, who names it
    _unsigned: Seal | None = None                            # the first seal without signature since the last with one
    _head_seen: bool = False
    _left: bool = False
    _lost: dict[str, int] = field(default_factory=dict)      # a digest that should be there -> its fault
    _found: dict[str, int] = field(default_factory=dict)     # a digest that should not be there -> its fault

    def go_on(self, seal: Seal) -> None:
        """Begins behind this seal instead of at the beginning; the seal itself is believed."""
        self._last, self._reached = seal, seal.to_id
        self._tied, self._known = {seal.hash}, {seal.hash}
        if seal.count < MOST:
            self._rise(seal.sealed_at)

    def entry(self, line: Line) -> None:
        self.entries += 1
        row = Row(line.id, digest(line), line.at)
        if self.behind:
            self._unsealed(row)
        else:
            self._rows.append(row)

    def seal(self, seal: Seal) -> None:
        self.seals += 1
        hash_ = hash_of(seal)
        sound = self._itself(seal, hash_)
        self._place(seal, hash_, sound)
        self._contents(seal)
        self._against_head(seal)
        self._last = seal
        # a full seal was not the end of what was written by then: it says nothing of the time of what follows
        if sound and not self._shaken and seal.count < MOST:
            self._rise(seal.sealed_at)

    def finish(self) -> None:
        for row in self._rows:
            self._unsealed(row)
        if self.head and not self._head_seen:
            last = f"{self._last.id}:{self._last.hash[:12]}" if self._last else "none"
            self._fault(TRUNCATED, self.head.number or 0, say.HEAD_GONE, head=self.head, last=last)
        if self.public_key and self._unsigned:
            self._fault(SIGNATURE, self._unsigned.id, say.NEVER_SIGNED)
        self._name_the_moved()

    # --- a seal by itself, and in its place ---

    def _itself(self, seal: Seal, hash_: str) -> bool:
        """`hash_` is what it should be."""
        why = self._signature(seal)
        if hash_ != seal.hash:
            why = say.SEAL_CHANGED
        elif root_of(seal.leaves) != seal.root or seal.leaves.count('"') != 2 * seal.count:
            why = say.LIST_CHANGED
        if why:
            self._fault(SIGNATURE, seal.id, why, key_id=seal.key_id)
        return why is None

    def _signature(self, seal: Seal) -> str | None:
        """Seals from before there was a key need none: a later signature vouches for them through the chain."""
        if not seal.key_id:
            self._unsigned = self._unsigned or seal
            return say.FORGED if seal.signature else None
        self._unsigned = None
        if not seal.signature:
            return say.UNSIGNED
        if self.public_key is None:
            return None
        if seal.key_id != name_of(self.public_key):
            return say.OTHER_KEY
        return None if _signed(seal, self.public_key) else say.FORGED

    def _place(self, seal: Seal, hash_: str, sound: bool) -> None:
        """Whether it follows the seal before it; after a break the chain is taken up at any seal met before."""
        number, begin = (self._last.id + 1, self._last.to_id + 1) if self._last else (1, 1)
        follows, adjoins = seal.previous in self._known, (seal.id, seal.from_id) == (number, begin)
        hashes = {seal.hash, hash_}
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
            self.faults[index:index + 1] = [Fault(MOVED, id, say.SEAL_MISPLACED.format(id=id))]

    def _misplaced(self, seal: Seal, number: int, follows: bool, adjoins: bool) -> None:
        if follows:
            self._fault(MOVED, number, say.SEAL_MOVED, to=seal.id)
        elif seal.id > number:
            self._fault(GAP, number, say.SEALS_GONE if seal.id > number + 1 else say.SEAL_GONE, to=seal.id - 1)
        elif adjoins and self._last:
            if self._fault(REWRITTEN, self._last.id, say.REMADE, next=seal.id):
                self._orphans[seal.previous] = len(self.faults) - 1, seal.id
        else:
            self._fault(MOVED, seal.id, say.SEAL_MISPLACED)

    def _against_head(self, seal: Seal) -> None:
        if self.head is None or self.head.number not in (None, seal.id):
            return
        matches = seal.hash.startswith(self.head.hash)
        if self.head.number and not matches:
            self._fault(REWRITTEN, seal.id, say.HEAD_DIFFERS)
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
            if row.at < self._early:
                self._late(row)

    def _compare(self, seal: Seal, rows: list[Row]) -> None:
        if root_of(seal.leaves) != seal.root:        # the list itself is false: told already
            return
        expected = _leaves(seal)
        if expected is None:
            self._fault(SIGNATURE, seal.id, say.LIST_CHANGED)
            return
        actual = {row.id: row.digest for row in rows if row.id >= seal.from_id or not self._shaken}
        for id in sorted(expected.keys() | actual.keys()):
            self._differs(id, expected.get(id), actual.get(id))
        for row, other in pairwise(rows):            # no table has an id twice, but an export may
            if row.id == other.id:
                self._fault(ENTRY, row.id, say.INSERTED)

    def _differs(self, id: int, expected: str | None, actual: str | None) -> None:
        if expected == actual:
            return
        kind, why = (MISSING, say.REMOVED) if actual is None else (ENTRY, say.CHANGED if expected else say.INSERTED)
        told = self._fault(kind, id, why)
        if told and expected:
            self._lost[expected] = len(self.faults) - 1
        if told and actual:
            self._found[actual] = len(self.faults) - 1

    def _rise(self, floor: datetime) -> None:
        self._floor, self._early = floor, instant(floor - LATE)

    def _late(self, row: Row) -> None:
        at = row.at[:len("2026-11-22T02:14:00")].replace("T", " ")
        if self._fault(ENTRY, row.id, say.BACKDATED, at=at, floor=self._floor):
            self._found.setdefault(row.digest, len(self.faults) - 1)

    def _unsealed(self, row: Row) -> None:
        self.unsealed += 1
        if row.id <= self._reached:
            if self._fault(ENTRY, row.id, say.INSERTED):
                self._found.setdefault(row.digest, len(self.faults) - 1)
        elif row.at < self._early:
            self._late(row)
        elif not self._left and self.now and row.at < instant(self.now - 2 * PERIOD):
            self._left = True
            self._fault(TRUNCATED, row.id, say.LEFT)

    # --- telling ---

    def _fault(self, kind: str, id: int, why: str, **words: Any) -> bool:
        """Whether it is still told one by one."""
        if len(self.faults) == KEPT:
            return False
        self.faults.append(Fault(kind, id, why.format(id=id, **words)))
        return True

    def _name_the_moved(self) -> None:
        """An entry that is missed in one place and too much in another was moved."""
        for content in self._lost.keys() & self._found.keys():
            here, there = self._lost[content], self._found[content]
            id, to = self.faults[here].id, self.faults[there].id
            self.faults[here] = Fault(MOVED, id, say.MOVED_ENTRY.format(id=id, to=to))
            if self.faults[there].kind == ENTRY:
                self.faults[there] = Fault(MOVED, to, say.EXCHANGED.format(id=to, origin=id))


def _leaves(seal: Seal) -> dict[int, str] | None:
    """Each entry's digest, as the seal lists them; None when it is no list of entries, though the seal was made for it."""
    try:
        found = dict(json.loads(seal.leaves))
        return found if listed(found.items()) == seal.leaves and all(isinstance(id, int) for id in found) else None
    except (ValueError, TypeError):
        return None


def _signed(seal: Seal, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(bytes.fromhex(seal.signature or ""), seal.hash.encode())
    except (InvalidSignature, ValueError):
        return False
    return True
