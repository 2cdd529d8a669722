"""Runbooks: runs, their steps, locks and files; approvals, rungs, switches, confirmed mandates; what alerts know of them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "runbooks"
down_revision: str | None = "first_tables"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Utc = sa.DateTime(timezone=True).with_variant(sa.String(26), "sqlite")

UNDECIDED = sa.text("decision IS NULL AND state = 'firing'")
OPEN_SYMPTOM = sa.text("closed_at IS NULL AND symptom IS NOT NULL")


def upgrade() -> None:
    for make in (
        _approval, _confirmation, _proposal, _run, _run_file, _run_lock, _rung, _signature, _step, _switch,
    ):
        make()
    _known_to_alerts()
    op.execute("UPDATE alert SET decision = 'show'")        # nobody is woken for what was there before


def _approval() -> None:
    op.create_table(
        "approval",
        sa.Column("id", BigId, nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("wants", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", Utc, nullable=False),
        sa.Column("expires_at", Utc, nullable=False),
        sa.Column("ended_at", Utc, nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_approval"),
    )
    op.create_index("ix_approval_run_id", "approval", ["run_id"])


def _confirmation() -> None:
    op.create_table(
        "confirmation",
        sa.Column("mandate", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("mandate", "version", "organisation", name="pk_confirmation"),
    )


def _proposal() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", BigId, nullable=False),
        sa.Column("runbook", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ended_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_proposal"),
    )


def _run() -> None:
    op.create_table(
        "run",
        sa.Column("id", BigId, nullable=False),
        sa.Column("runbook", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("alert_id", BigId, nullable=True),
        sa.Column("group_id", BigId, nullable=True),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("mandate", sa.Text(), nullable=True),
        sa.Column("mandate_version", sa.Text(), nullable=True),
        sa.Column("config_version", sa.Text(), nullable=False),
        sa.Column("glass", sa.Text(), nullable=True),
        sa.Column("reviewed_by", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("begun_at", Utc, nullable=False),
        sa.Column("ended_at", Utc, nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.Column("relapsed_at", Utc, nullable=True),
        sa.Column("due_at", Utc, nullable=True),
        sa.Column("busy", sa.Boolean(), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
    )
    op.create_index("ix_run_alert_id", "run", ["alert_id"])
    op.create_index("ix_run_due_at", "run", ["due_at"])
    op.create_index("ix_run_group_id", "run", ["group_id"])
    op.create_index("ix_run_runbook_begun_at", "run", ["runbook", "begun_at"])
    op.create_index("ix_run_state", "run", ["state"])


def _run_file() -> None:
    op.create_table(
        "run_file",
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_run_file"),
    )


def _run_lock() -> None:
    op.create_table(
        "run_lock",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("target", name="pk_run_lock"),
    )


def _rung() -> None:
    op.create_table(
        "rung",
        sa.Column("runbook", sa.Text(), nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("second", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("runbook", name="pk_rung"),
    )


def _signature() -> None:
    op.create_table(
        "signature",
        sa.Column("approval_id", BigId, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("standing", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("approval_id", "person", name="pk_signature"),
    )


def _step() -> None:
    op.create_table(
        "step",
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("uses", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("given", sa.Text(), nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("outputs", sa.Text(), nullable=True),
        sa.Column("way_back", sa.Text(), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("log", sa.Text(), nullable=True),
        sa.Column("begun_at", Utc, nullable=True),
        sa.Column("ended_at", Utc, nullable=True),
        sa.Column("deadline", Utc, nullable=True),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_step"),
    )


def _switch() -> None:
    op.create_table(
        "switch",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("scope", name="pk_switch"),
    )


def _known_to_alerts() -> None:
    with op.batch_alter_table("alert") as batch_op:
        batch_op.add_column(sa.Column("runbook", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("decision", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("decided_at", Utc, nullable=True))
        batch_op.add_column(sa.Column("called_at", Utc, nullable=True))
        batch_op.add_column(sa.Column("fixed_by", BigId, nullable=True))
        batch_op.add_column(sa.Column("ending", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("proof", sa.Text(), nullable=True))
        batch_op.create_index("ix_alert_undecided", ["id"], sqlite_where=UNDECIDED, postgresql_where=UNDECIDED)
    with op.batch_alter_table("alert_group") as batch_op:
        batch_op.add_column(sa.Column("symptom", sa.Text(), nullable=True))
        batch_op.create_index(
            "uq_alert_group_open_symptom", ["service", "symptom"], unique=True,
            sqlite_where=OPEN_SYMPTOM, postgresql_where=OPEN_SYMPTOM,
        )


def downgrade() -> None:
    with op.batch_alter_table("alert_group") as batch_op:
        batch_op.drop_index("uq_alert_group_open_symptom", sqlite_where=OPEN_SYMPTOM, postgresql_where=OPEN_SYMPTOM)
        batch_op.drop_column("symptom")
    with op.batch_alter_table("alert") as batch_op:
        batch_op.drop_index("ix_alert_undecided", sqlite_where=UNDECIDED, postgresql_where=UNDECIDED)
        batch_op.drop_column("proof")
        batch_op.drop_column("ending")
        batch_op.drop_column("fixed_by")
        batch_op.drop_column("called_at")
        batch_op.drop_column("decided_at")
        batch_op.drop_column("decision")
        batch_op.drop_column("runbook")
    op.drop_table("switch")
    op.drop_table("step")
    op.drop_table("signature")
    op.drop_table("rung")
    op.drop_table("run_lock")
    op.drop_table("run_file")
    op.drop_index("ix_run_state", "run")
    op.drop_index("ix_run_runbook_begun_at", "run")
    op.drop_index("ix_run_group_id", "run")
    op.drop_index("ix_run_due_at", "run")
    op.drop_index("ix_run_alert_id", "run")
    op.drop_table("run")
    op.drop_table("proposal")
    op.drop_table("confirmation")
    op.drop_index("ix_approval_run_id", "approval")
    op.drop_table("approval")
