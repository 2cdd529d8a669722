"""The next level, called by hand: whom it is to relieve."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "next_level"
down_revision: str | None = "month"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("escalation") as batch_op:
        batch_op.add_column(sa.Column("relieves", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("escalation") as batch_op:
        batch_op.drop_column("relieves")
