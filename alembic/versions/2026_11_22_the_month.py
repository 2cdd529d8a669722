"""The month: sealed reviews, signatures, verdicts, decisions; incidents and what is owed for them; measures of clouds."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "month"
down_revision: str | None = "nights"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Utc = sa.DateTime(timezone=True).with_variant(sa.String(26), "sqlite")

TABLES = (
    "classification", "decision", "impact", "incident", "incident_alert", "measure", "notice", "review", "review_signature",
    "verdict",
)


def upgrade() -> None:
    for make in (
        _classification, _decision, _impact, _incident, _incident_alert, _measure, _notice, _review, _review_signature, _verdict,
        _closed_groups,
    ):
        make()


def _closed_groups() -> None:
    """What was open when a month began is among what was closed since then: found without reading all that ever was."""
    closed = sa.text("closed_at IS NOT NULL")
    op.create_index(
        "ix_alert_group_closed_at", "alert_group", ["closed_at", "opened_at"], sqlite_where=closed, postgresql_where=closed,
    )


def _classification() -> None:
    op.create_table(
        "classification",
        sa.Column("id", BigId, nullable=False),
        sa.Column("incident_id", BigId, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("major", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_classification"),
    )
    op.create_index("ix_classification_incident_id", "classification", ["incident_id"])


def _decision() -> None:
    op.create_table(
        "decision",
        sa.Column("id", BigId, nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("due", sa.Text(), nullable=True),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("pattern", sa.Text(), nullable=True),
        sa.Column("saving", sa.Text(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", Utc, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_at", Utc, nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_decision"),
    )
    op.create_index("ix_decision_state", "decision", ["state"])


def _impact() -> None:
    op.create_table(
        "impact",
        sa.Column("id", BigId, nullable=False),
        sa.Column("incident_id", BigId, nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("start", Utc, nullable=False),
        sa.Column("end", Utc, nullable=True),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("said_by", sa.Text(), nullable=False),
        sa.Column("said_at", Utc, nullable=False),
        sa.Column("withdrawn_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_impact"),
    )
    op.create_index("ix_impact_incident_id", "impact", ["incident_id"])


def _incident() -> None:
    op.create_table(
        "incident",
        sa.Column("id", BigId, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("began_at", Utc, nullable=False),
        sa.Column("detected_at", Utc, nullable=False),
        sa.Column("found_by", sa.Text(), nullable=False),
        sa.Column("aware_at", Utc, nullable=True),
        sa.Column("aware_by", sa.Text(), nullable=True),
        sa.Column("ended_at", Utc, nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("third_party", sa.Text(), nullable=True),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("declared_by", sa.Text(), nullable=False),
        sa.Column("declared_at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
    )
    op.create_index("ix_incident_began_at", "incident", ["began_at"])


def _incident_alert() -> None:
    op.create_table(
        "incident_alert",
        sa.Column("incident_id", BigId, nullable=False),
        sa.Column("alert_id", BigId, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "alert_id", name="pk_incident_alert"),
    )
    op.create_index("ix_incident_alert_alert_id", "incident_alert", ["alert_id"])


def _measure() -> None:
    op.create_table(
        "measure",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("read_at", Utc, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", "day", "read_at", name="pk_measure"),
    )
    op.create_index("ix_measure_day", "measure", ["day"])


def _notice() -> None:
    op.create_table(
        "notice",
        sa.Column("id", BigId, nullable=False),
        sa.Column("incident_id", BigId, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("opened_at", Utc, nullable=False),
        sa.Column("due_at", Utc, nullable=True),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("remind_at", Utc, nullable=True),
        sa.Column("sent_at", Utc, nullable=True),
        sa.Column("sent_by", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("delay_reason", sa.Text(), nullable=True),
        sa.Column("ended_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.UniqueConstraint("incident_id", "kind", "due_at", name="uq_notice_incident_kind_due"),
    )
    op.create_index("ix_notice_incident_id", "notice", ["incident_id"])
    op.create_index("ix_notice_remind_at", "notice", ["remind_at"])


def _review() -> None:
    op.create_table(
        "review",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("as_of", Utc, nullable=False),
        sa.Column("made_at", Utc, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=True),
        sa.Column("head", sa.Text(), nullable=True),
        sa.Column("posted_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("month", "version", name="pk_review"),
    )


def _review_signature() -> None:
    op.create_table(
        "review_signature",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("month", "version", "organisation", name="pk_review_signature"),
    )


def _verdict() -> None:
    op.create_table(
        "verdict",
        sa.Column("id", BigId, nullable=False),
        sa.Column("group_id", BigId, nullable=False),
        sa.Column("alert_id", BigId, nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_verdict"),
    )
    op.create_index("ix_verdict_group_id", "verdict", ["group_id"])


def downgrade() -> None:
    op.drop_index("ix_alert_group_closed_at", table_name="alert_group")
    for name in TABLES:
        op.drop_table(name)
