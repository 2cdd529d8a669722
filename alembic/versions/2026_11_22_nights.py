"""Nights: shifts, absences, swaps, interventions and statements; escalations, pages, silences; handoffs and actions."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "nights"
down_revision: str | None = "runbooks"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Utc = sa.DateTime(timezone=True).with_variant(sa.String(26), "sqlite")


def upgrade() -> None:
    for make in (
        _absence, _action, _deferred, _escalation, _gap, _handoff, _intervention, _leaver,
        _page_attempt, _programme, _question, _shift, _silence, _statement, _swap, _waiver,
    ):
        make()


def _absence() -> None:
    op.create_table(
        "absence",
        sa.Column("id", BigId, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("start", Utc, nullable=False),
        sa.Column("end", Utc, nullable=False),
        sa.Column("said_by", sa.Text(), nullable=False),
        sa.Column("said_at", Utc, nullable=False),
        sa.Column("ended_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_absence"),
    )
    op.create_index("ix_absence_person_end", "absence", ["person", "end"])


def _action() -> None:
    op.create_table(
        "action",
        sa.Column("id", BigId, nullable=False),
        sa.Column("coverage", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("due", sa.Text(), nullable=True),
        sa.Column("carried", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", Utc, nullable=False),
        sa.Column("closed_at", Utc, nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_action"),
    )


def _deferred() -> None:
    op.create_table(
        "deferred",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("alert_id", BigId, nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("deferred_until", Utc, nullable=False),
        sa.Column("told_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deferred"),
        sa.UniqueConstraint("key", name="uq_deferred_key"),
    )
    op.create_index("ix_deferred_until", "deferred", ["deferred_until"])
    op.create_index("ix_deferred_alert_id", "deferred", ["alert_id"])


def _escalation() -> None:
    op.create_table(
        "escalation",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("group_id", BigId, nullable=True),
        sa.Column("alert_id", BigId, nullable=True),
        sa.Column("run_id", BigId, nullable=True),
        sa.Column("coverage", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("begun_at", Utc, nullable=False),
        sa.Column("due_at", Utc, nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("reminded_at", Utc, nullable=True),
        sa.Column("held_until", Utc, nullable=True),
        sa.Column("nobody_since", Utc, nullable=True),
        sa.Column("ended_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_escalation"),
        sa.UniqueConstraint("key", name="uq_escalation_key"),
    )
    op.create_index("ix_escalation_due_at", "escalation", ["due_at"])
    op.create_index("ix_escalation_group_id", "escalation", ["group_id"])


def _gap() -> None:
    op.create_table(
        "gap",
        sa.Column("id", BigId, nullable=False),
        sa.Column("coverage", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("start", Utc, nullable=False),
        sa.Column("end", Utc, nullable=False),
        sa.Column("found_at", Utc, nullable=False),
        sa.Column("told_at", Utc, nullable=True),
        sa.Column("alerted_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_gap"),
        sa.UniqueConstraint("coverage", "team", "kind", "start", "end", name="uq_gap_coverage_team_kind_start_end"),
    )


def _handoff() -> None:
    op.create_table(
        "handoff",
        sa.Column("id", BigId, nullable=False),
        sa.Column("coverage", sa.Text(), nullable=False),
        sa.Column("boundary", Utc, nullable=False),
        sa.Column("from_team", sa.Text(), nullable=False),
        sa.Column("to_team", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outgoing", sa.Text(), nullable=True),
        sa.Column("incoming", sa.Text(), nullable=True),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("if_then", sa.Text(), nullable=False),
        sa.Column("raised", sa.Text(), nullable=True),
        sa.Column("submitted_by", sa.Text(), nullable=True),
        sa.Column("submitted_at", Utc, nullable=True),
        sa.Column("accepted_by", sa.Text(), nullable=True),
        sa.Column("accepted_at", Utc, nullable=True),
        sa.Column("synthesis", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("missed_reason", sa.Text(), nullable=True),
        sa.Column("done", sa.Text(), nullable=False),
        sa.Column("due_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_handoff"),
        sa.UniqueConstraint("coverage", "boundary", name="uq_handoff_coverage_boundary"),
    )
    op.create_index("ix_handoff_due_at", "handoff", ["due_at"])


def _intervention() -> None:
    op.create_table(
        "intervention",
        sa.Column("id", BigId, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("alert_id", BigId, nullable=True),
        sa.Column("start", Utc, nullable=False),
        sa.Column("end", Utc, nullable=True),
        sa.Column("last_act_at", Utc, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("confirmed_at", Utc, nullable=True),
        sa.Column("asked_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_intervention"),
    )
    op.create_index("ix_intervention_person_start", "intervention", ["person", "start"], unique=True)


def _leaver() -> None:
    op.create_table(
        "leaver",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_leaver"),
    )


def _page_attempt() -> None:
    op.create_table(
        "page_attempt",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("escalation_id", BigId, nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("group_id", BigId, nullable=True),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("medium", sa.Text(), nullable=False),
        sa.Column("contact", sa.Integer(), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("due_at", Utc, nullable=True),
        sa.Column("sent_at", Utc, nullable=True),
        sa.Column("seen_at", Utc, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_page_attempt"),
        sa.UniqueConstraint("key", name="uq_page_attempt_key"),
    )
    op.create_index("ix_page_attempt_due_at", "page_attempt", ["due_at"])
    op.create_index("ix_page_attempt_escalation_id", "page_attempt", ["escalation_id"])
    op.create_index("ix_page_attempt_person_at", "page_attempt", ["person", "at"])


def _programme() -> None:
    op.create_table(
        "programme",
        sa.Column("coverage", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("published_until", Utc, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("coverage", "team", name="pk_programme"),
    )


def _question() -> None:
    op.create_table(
        "question",
        sa.Column("id", BigId, nullable=False),
        sa.Column("handoff_id", BigId, nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", Utc, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at", Utc, nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_question"),
    )
    op.create_index("ix_question_handoff_id", "question", ["handoff_id"])


def _shift() -> None:
    op.create_table(
        "shift",
        sa.Column("id", BigId, nullable=False),
        sa.Column("coverage", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("start", Utc, nullable=False),
        sa.Column("end", Utc, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published_at", Utc, nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("superseded_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_shift"),
    )
    op.create_index("ix_shift_coverage_end", "shift", ["coverage", "end"])
    op.create_index("ix_shift_person_end", "shift", ["person", "end"])


def _silence() -> None:
    op.create_table(
        "silence",
        sa.Column("id", BigId, nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("start", Utc, nullable=False),
        sa.Column("until", Utc, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("second", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_at", Utc, nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_silence"),
    )
    op.create_index("ix_silence_service_until", "silence", ["service", "until"])


def _statement() -> None:
    op.create_table(
        "statement",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("given_at", Utc, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person", "month", name="pk_statement"),
    )


def _swap() -> None:
    op.create_table(
        "swap",
        sa.Column("id", BigId, nullable=False),
        sa.Column("shift_id", BigId, nullable=False),
        sa.Column("return_id", BigId, nullable=True),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("taker", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", Utc, nullable=False),
        sa.Column("expires_at", Utc, nullable=False),
        sa.Column("ended_at", Utc, nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("findings", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_swap"),
    )
    op.create_index("ix_swap_shift_id", "swap", ["shift_id"])


def _waiver() -> None:
    op.create_table(
        "waiver",
        sa.Column("id", BigId, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("start", Utc, nullable=False),
        sa.Column("end", Utc, nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("waived_by", sa.Text(), nullable=False),
        sa.Column("waived_at", Utc, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_waiver"),
    )


def downgrade() -> None:
    for name in (
        "absence", "action", "deferred", "escalation", "gap", "handoff", "intervention", "leaver",
        "page_attempt", "programme", "question", "shift", "silence", "statement", "swap", "waiver",
    ):
        op.drop_table(name)
