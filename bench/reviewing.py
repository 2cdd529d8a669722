"""`python -m bench.reviewing URL CONFIG MONTH`: one review of a month in a process of its own; prints what it took."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bot.config import load_config
from bot.review.arithmetic import written
from bot.services.review import choosing, composing
from bot.services.review.facts import gathering
from bot.store.db import create_engine, reader

LATER = datetime(2100, 1, 1, tzinfo=UTC)


def main(url: str, config: Path, name: str) -> None:
    """The whole way: from the rows to the JSON that is kept."""
    known = load_config(config)
    month = choosing.named(known, name, LATER)
    empty, began, worked = _resident(), time.monotonic(), time.process_time()
    with reader(create_engine(url)) as connection:
        facts = gathering.facts(connection, known, month)
    read = time.monotonic() - began
    body = written.to_json(composing.compose(facts, 1))
    took, cpu = time.monotonic() - began, time.process_time() - worked
    print(json.dumps({
        "seconds": took, "cpu_s": cpu, "reading_s": read, "resident_mb": _resident(), "empty_mb": empty,
        "groups": len(facts.groups), "entries": facts.trail.entries, "whole": facts.trail.ok, "bytes": len(body),
    }))


def _resident() -> float:
    """The most that this process ever held, in MiB."""
    line = next(each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
