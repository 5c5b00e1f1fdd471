"""The first schema: charges of attempts, and what queues and namespaces used."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "charges",
        sa.Column("job_uid", sa.String(64), primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("queue", sa.String(63), nullable=False),
        sa.Column("namespace", sa.String(63), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.BigInteger, nullable=False),
        sa.Column("final", sa.Boolean, nullable=False),
    )
    op.create_index("charges_by_final", "charges", ["final", "at"])
    op.create_table(
        "totals",
        sa.Column("queue", sa.String(63), primary_key=True),
        sa.Column("namespace", sa.String(63), primary_key=True),
        sa.Column("amount", sa.Text, nullable=False),
    )
    op.create_table("facts", sa.Column("name", sa.String(63), primary_key=True), sa.Column("value", sa.Text, nullable=False))


def downgrade() -> None:
    """Drop the tables, and with them all that is known of use."""
    for table in ("facts", "totals", "charges"):
        op.drop_table(table)
