"""Sealed reviews and who signed them; rows are only ever added."""

import sqlalchemy as sa

from bot.store.db import BigId, Utc, metadata

review = sa.Table(
    "review",
    metadata,
    sa.Column("month", sa.Text, primary_key=True),                 # 2026-10
    sa.Column("version", sa.Integer, primary_key=True),            # 1: as of the cut-off; 2 ...: with what was learnt later
    sa.Column("as_of", Utc, nullable=False),                       # what was known by then
    sa.Column("made_at", Utc, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("why", sa.Text),                                     # of a later version: why it was made
    sa.Column("body", sa.Text, nullable=False),                    # JSON: the whole review
    sa.Column("digest", sa.Text, nullable=False),                  # SHA-256 of `body`
    sa.Column("changes", sa.Text),                                 # JSON: what differs from the version before
    sa.Column("head", sa.Text),                                    # hash of the journal's last seal then
    sa.Column("posted_at", Utc),                                   # when its message was handed to Slack's lane
)

review_signature = sa.Table(
    "review_signature",
    metadata,
    sa.Column("month", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("organisation", sa.Text, primary_key=True),          # one for each side
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),                  # of what was signed
)

verdict = sa.Table(
    "verdict",
    metadata,
    sa.Column("id", BigId, primary_key=True),                      # the newest of a side counts
    sa.Column("group_id", BigId, nullable=False, index=True),
    sa.Column("alert_id", BigId, nullable=False),                  # as it was named
    sa.Column("verdict", sa.Text, nullable=False),                 # useful, noise, duplicate, missing-runbook, needs-fix
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

decision = sa.Table(
    "decision",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("month", sa.Text, nullable=False),                   # the review in which it was decided
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),                    # fix, tune, automate, delete, cut, other
    sa.Column("owner", sa.Text),
    sa.Column("side", sa.Text, nullable=False),                    # the organisation that has it
    sa.Column("due", sa.Text),                                     # a day: 2026-12-01
    sa.Column("service", sa.Text),
    sa.Column("pattern", sa.Text),                                 # of the groups that it is about
    sa.Column("saving", sa.Text),                                  # 2900 USD a month: as it was expected
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", Utc, nullable=False),
    sa.Column("state", sa.Text, nullable=False),                   # open, done, dropped
    sa.Column("ended_at", Utc),
    sa.Column("ended_by", sa.Text),
    sa.Column("said", sa.Text),
    sa.Index("ix_decision_state", "state"),
)

measure = sa.Table(
    "measure",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),                  # cost, capacity, availability; asked, unread
    sa.Column("subject", sa.Text, primary_key=True),               # an account, a pool of vigie.yaml, a service
    sa.Column("day", sa.Text, primary_key=True),                   # 2026-10-25, in the zone of the platform's owner
    sa.Column("read_at", Utc, primary_key=True),                   # the newest reading of a day counts; none is written over
    sa.Column("body", sa.Text, nullable=False),                    # JSON, as its collector wrote it
    sa.Index("ix_measure_day", "day"),
)
