"""How long the review of a month takes, and what it holds: in a young database, in an old one, of a month and of half of one."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench import months
from bench.databases import Database
from bench.processes import ROOT, Broken
from bench.scale import Scale
from bench.stage import Stage
from bot.config import Config, load_config
from bot.config.kinds import EXAMPLE
from bot.review import Facts
from bot.review.arithmetic import written
from bot.review.facts import Month
from bot.services.review import choosing, composing
from bot.store.db import create_engine
from bot.store.reviews import review

LATER = datetime(2100, 1, 1, tzinfo=UTC)
YOUNG, HALF, FULL = "young", "half_a_month", "old"
# Month after month, each as a share of `scale.month`; those with a name are reviewed when they are stored.
PLAN = ((1.5, ""), *((1.0, ""),) * 3, (1.0, YOUNG), (0.5, HALF), *((1.0, ""),) * 3, (1.0, FULL))
LONGEST_S = 600


def run(stage: Stage, database: Database, scale: Scale) -> dict[str, Any]:
    """Ten months, a million alerts at full scale; the month before each is sealed, as it is in daily life."""
    url, config, stored = database.fresh(), load_config(EXAMPLE), 0
    found: dict[str, Any] = {}
    for number, (share, asked) in enumerate(PLAN, 1):
        month, alerts = choosing.named(config, f"2026-{number:02}", LATER), int(scale.month * share)
        months.store(url, months.Past(month.start, month.end, alerts), stored + 1)
        stored += alerts
        if asked:
            found[asked] = {"stored": stored, **_review(url, EXAMPLE, month.name)}
        _seal(url, config, month)
    old = found[FULL]
    return found | {
        "twice_the_age": old["cpu_s"] / found[YOUNG]["cpu_s"], "twice_the_month": old["cpu_s"] / found[HALF]["cpu_s"],
    }


def _review(url: str, config: Path, name: str) -> dict[str, Any]:
    """One review in a process of its own, as the command line makes it."""
    command = [sys.executable, "-m", "bench.reviewing", url, str(config), name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    if done.returncode:
        raise Broken(f"the review of {name} failed: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout))


def _seal(url: str, config: Config, month: Month) -> None:
    """What the next month compares itself with."""
    body = written.to_json(composing.compose(Facts(month, config), 1))
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.insert(review).values(
            month=month.name, version=1, as_of=month.cut_off, made_at=month.cut_off, made_by="vigie", body=body, digest="",
        ))
    engine.dispose()
