"""`python -m bench.reviewing URL CONFIG MONTH`: one review of a month in a process of its own; prints what it took."""

import json
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bot.config import load_config
from bot.review.arithmetic import written
from bot.services.review import choosing, composing, gathering
from bot.store.db import create_engine, reader

LATER = datetime(2100, 1, 1, tzinfo=UTC)


def main(url: str, config: Path, name: str) -> None:
    """The whole way: from the rows to the JSON that is kept."""
    known = load_config(config)
    month = choosing.named(known, name, LATER)
    empty, began = _resident(), time.monotonic()
    with reader(create_engine(url)) as connection:
        facts = gathering.facts(connection, known, month)
    read = time.monotonic() - began
    body = written.to_json(composing.compose(facts, 1))
    print(json.dumps({
        "seconds": time.monotonic() - began, "reading_s": read, "resident_mb": _resident(), "empty_mb": empty,
        "groups": len(facts.groups), "entries": facts.trail.entries, "whole": facts.trail.ok, "bytes": len(body),
    }))


def _resident() -> float:
    """The most that this process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
