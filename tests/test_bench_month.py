"""The months that the bench stores are such as Vigie would have left them: all of them are read, under a whole chain."""

from datetime import UTC, datetime

import sqlalchemy as sa

from bench import months
from bot.services.review import choosing
from bot.services.review.facts import gathering
from bot.store.db import reader
from tests.config_stage import example

LATER = datetime(2100, 1, 1, tzinfo=UTC)


def test_a_month_of_the_bench_is_read_whole(engine: sa.Engine) -> None:
    url, first = engine.url.render_as_string(hide_password=False), 1
    for name in ("2026-09", "2026-10"):
        month = choosing.named(example(), name, LATER)
        months.store(url, months.Past(month.start, month.end, 300), first)
        first += 300

    with reader(engine) as connection:
        facts = gathering.facts(connection, example(), month)

    assert (len(facts.groups), len(facts.earlier), facts.volumes["2026-09"]) == (300, 300, 300)
    assert (facts.trail.ok, facts.trail.entries) == (True, 900)
    assert {each.ending for each in facts.groups} == {"healed", "fixed", "person"}
    assert all(each.acked_by for each in facts.groups if each.ending == "person")
