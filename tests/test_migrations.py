"""The tables in the database are the tables of the code, on both databases."""

import sqlalchemy as sa

from bot.store.migrate import at_head


def test_a_fresh_database_is_at_head(engine: sa.Engine) -> None:
    assert at_head(engine)
