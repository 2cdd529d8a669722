"""`vigie audit`: is the journal whole, and what does it say?"""

import json
from collections.abc import Callable
from typing import TextIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bot.ports import SystemClock
from bot.services.ledger import audit
from bot.settings import Settings
from bot.store.db import create_engine, reader

WHOLE = "The journal is whole: {entries} entries, {seals} seals, {unsealed} not sealed yet. Newest: {head}"
BROKEN = "The journal is NOT whole: {why}"
MORE = "and {count} more faults"
MOST_TOLD = 20


def verify(settings: Settings, head: str | None, as_json: bool, say: Callable[[str], None]) -> bool:
    """Says the verdict; true when every entry is as it was written."""
    with reader(create_engine(settings.database_url)) as connection:
        verdict = audit.verify(connection, head, _public_key(settings), SystemClock().now())
        newest = audit.head(connection)
    if as_json:
        say(json.dumps(verdict.answer(), ensure_ascii=False))
    elif verdict.ok:
        say(WHOLE.format(entries=verdict.entries, seals=verdict.seals, unsealed=verdict.unsealed, head=newest))
    else:
        for fault in verdict.faults[:MOST_TOLD]:
            say(BROKEN.format(why=str(fault)))
        if len(verdict.faults) > MOST_TOLD:
            say(MORE.format(count=len(verdict.faults) - MOST_TOLD))
    return verdict.ok


def export(settings: Settings, out: TextIO) -> None:
    """The journal and its seals as JSON lines."""
    with reader(create_engine(settings.database_url)) as connection:
        audit.export(connection, out)


def _public_key(settings: Settings) -> Ed25519PublicKey | None:
    seed = settings.seal_seed
    return Ed25519PrivateKey.from_private_bytes(seed).public_key() if seed else None
