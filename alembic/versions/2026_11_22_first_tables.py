"""The first tables: signals, alerts, posts, the journal and its seals; journal and seals refuse every change.

A migration does not import Vigie: it says what the tables were on its day.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "first_tables"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Utc = sa.DateTime(timezone=True).with_variant(sa.String(26), "sqlite")

APPEND_ONLY = ("journal", "seal")
REFUSAL = "rows of {table} are only ever added"


def upgrade() -> None:
    for make in (
        _alert, _alert_group, _attempt, _dropped, _inbound, _journal, _lane, _note, _observation, _post,
        _seal, _signal,
    ):
        make()
    for table in APPEND_ONLY:
        for statement in GUARDS[op.get_bind().dialect.name]:
            op.execute(statement.format(table=table, refusal=REFUSAL.format(table=table)))


def downgrade() -> None:
    if op.get_bind().execute(sa.text("SELECT 1 FROM journal LIMIT 1")).first():
        raise RuntimeError("The journal holds entries, and going back would destroy them: restore a backup instead.")
    for table in (
        "alert", "alert_group", "attempt", "dropped", "inbound", "journal", "lane", "note", "observation",
        "post", "seal", "signal",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


GUARDS = {
    "sqlite": (
        "CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{refusal}'); END",
        "CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{refusal}'); END",
        # INSERT OR REPLACE deletes without a word to the delete trigger
        "CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        "WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, '{refusal}'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME; END $$",
        "CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ),
}


def _alert() -> None:
    op.create_table(
        "alert",
        sa.Column("id", BigId, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("group_id", BigId, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("important", sa.Boolean(), nullable=False),
        sa.Column("recognised", sa.Boolean(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("since", Utc, nullable=False),
        sa.Column("opened_at", Utc, nullable=False),
        sa.Column("updated_at", Utc, nullable=False),
        sa.Column("signals", sa.Integer(), nullable=False),
        sa.Column("relapses", sa.Integer(), nullable=False),
        sa.Column("acked_by", sa.Text(), nullable=True),
        sa.Column("acked_at", Utc, nullable=True),
        sa.Column("assigned_to", sa.Text(), nullable=True),
        sa.Column("snoozed_until", Utc, nullable=True),
        sa.Column("recovered_at", Utc, nullable=True),
        sa.Column("closed_at", Utc, nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("close_reason", sa.Text(), nullable=True),
        sa.Column("seen_by", sa.Text(), nullable=True),
        sa.Column("due_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    op.create_index("ix_alert_due_at", "alert", ["due_at"], unique=False)
    op.create_index("ix_alert_group_id", "alert", ["group_id"], unique=False)
    op.create_index("ix_alert_opened_at", "alert", ["opened_at"], unique=False)
    op.create_index("ix_alert_state", "alert", ["state"], unique=False)
    op.create_index("uq_alert_open_fingerprint", "alert", ["fingerprint"], unique=True,
                    sqlite_where=sa.text("state <> 'closed'"), postgresql_where=sa.text("state <> 'closed'"))


def _alert_group() -> None:
    op.create_table(
        "alert_group",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("opened_at", Utc, nullable=False),
        sa.Column("closed_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alert_group"),
    )


def _attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_attempt"),
    )


def _dropped() -> None:
    op.create_table(
        "dropped",
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "reason", name="pk_dropped"),
    )


def _inbound() -> None:
    op.create_table(
        "inbound",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_inbound"),
    )
    op.create_index("ix_inbound_at", "inbound", ["at"], unique=False)


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("id", BigId, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
    )
    op.create_index("ix_journal_at", "journal", ["at"], unique=False)
    op.create_index("ix_journal_object", "journal", ["object"], unique=False)


def _lane() -> None:
    op.create_table(
        "lane",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("busy", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("channel", name="pk_lane"),
    )


def _note() -> None:
    op.create_table(
        "note",
        sa.Column("id", BigId, nullable=False),
        sa.Column("alert_id", BigId, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_note"),
    )
    op.create_index("ix_note_alert_id", "note", ["alert_id"], unique=False)


def _observation() -> None:
    op.create_table(
        "observation",
        sa.Column("alert_id", BigId, nullable=False),
        sa.Column("observer", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "observer", name="pk_observation"),
    )


def _post() -> None:
    op.create_table(
        "post",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("group_id", BigId, nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sent_revision", sa.Integer(), nullable=False),
        sa.Column("first_due_at", Utc, nullable=False),
        sa.Column("due_at", Utc, nullable=True),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("ts", sa.Text(), nullable=True),
        sa.Column("sent_at", Utc, nullable=True),
        sa.Column("late_s", sa.Integer(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_post"),
        sa.UniqueConstraint("key", name="uq_post_key"),
    )
    op.create_index("ix_post_channel_due_at", "post", ["channel", "due_at"], unique=False)
    op.create_index("ix_post_group_id", "post", ["group_id"], unique=False)


def _seal() -> None:
    op.create_table(
        "seal",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("from_id", BigId, nullable=False),
        sa.Column("to_id", BigId, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("leaves", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("sealed_at", Utc, nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("signature", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_seal"),
        sa.UniqueConstraint("hash", name="uq_seal_hash"),
        sa.UniqueConstraint("previous", name="uq_seal_previous"),
    )


def _signal() -> None:
    op.create_table(
        "signal",
        sa.Column("id", BigId, nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("received_at", Utc, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("observer", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("alert_id", BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_signal"),
        sa.UniqueConstraint("delivery", name="uq_signal_delivery"),
    )
    op.create_index("ix_signal_fingerprint_at", "signal", ["fingerprint", "at"], unique=False)
