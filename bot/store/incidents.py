"""Incidents: what hurt whom and for how long, how it was classified, what is owed to the regulator."""

import sqlalchemy as sa

from bot.store.db import BigId, Utc, metadata

incident = sa.Table(
    "incident",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),                    # outage, degraded, bank_api_down, security
    sa.Column("channel", sa.Text, nullable=False),                 # where it is talked about
    sa.Column("began_at", Utc, nullable=False),                    # occurrence, or the earliest trace of it
    sa.Column("detected_at", Utc, nullable=False),
    sa.Column("found_by", sa.Text, nullable=False),                # monitoring systems, clients, third-party provider ...
    sa.Column("aware_at", Utc),                                    # set once; each change is an entry of the journal
    sa.Column("aware_by", sa.Text),
    sa.Column("ended_at", Utc),                                    # regular activity is recovered
    sa.Column("cause", sa.Text),                                   # the root cause, as a tag
    sa.Column("third_party", sa.Text),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("declared_by", sa.Text, nullable=False),
    sa.Column("declared_at", Utc, nullable=False),
    sa.Index("ix_incident_began_at", "began_at"),
)

incident_alert = sa.Table(
    "incident_alert",
    metadata,
    sa.Column("incident_id", BigId, primary_key=True),
    sa.Column("alert_id", BigId, primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Index("ix_incident_alert_alert_id", "alert_id"),
)

impact = sa.Table(
    "impact",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("incident_id", BigId, nullable=False, index=True),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("start", Utc, nullable=False),
    sa.Column("end", Utc),                                         # null: it lasts
    sa.Column("share", sa.Float, nullable=False),                  # of requests that failed: 1 is an outage
    sa.Column("said_by", sa.Text, nullable=False),
    sa.Column("said_at", Utc, nullable=False),
    sa.Column("withdrawn_at", Utc),                                # said anew by another row
)

classification = sa.Table(
    "classification",
    metadata,
    sa.Column("id", BigId, primary_key=True),                      # the newest counts; the others are its history
    sa.Column("incident_id", BigId, nullable=False, index=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("answers", sa.Text, nullable=False),                 # JSON: the worksheet as it was filled in
    sa.Column("major", sa.Boolean, nullable=False),
    sa.Column("reasons", sa.Text, nullable=False),                 # JSON: which criteria were met, in words
    sa.Column("rules", sa.Text, nullable=False),                   # the text that was applied: 2024/1772
)

notice = sa.Table(
    "notice",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("incident_id", BigId, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),                    # initial, intermediate, final, clients, bank_api
    sa.Column("due_at", Utc),
    sa.Column("told", sa.Text, nullable=False),                    # JSON: which of its reminders were told
    sa.Column("remind_at", Utc),                                   # when the next reminder is due
    sa.Column("sent_at", Utc),
    sa.Column("sent_by", sa.Text),
    sa.Column("reference", sa.Text),                               # of the authority
    sa.Column("delay_reason", sa.Text),                            # told before the limit (2025/301 art. 5(3))
    sa.Column("ended_at", Utc),                                    # no longer owed: classified anew as not major
    sa.UniqueConstraint("incident_id", "kind", "due_at", name="uq_notice_incident_kind_due"),
    sa.Index("ix_notice_remind_at", "remind_at"),
)
