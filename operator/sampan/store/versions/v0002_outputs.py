"""What attempts printed last."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "outputs",
        sa.Column("job_uid", sa.String(64), primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("rank", sa.Integer, primary_key=True),
        sa.Column("namespace", sa.String(63), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
    )
    op.create_index("outputs_by_namespace", "outputs", ["namespace", "at"])
    op.create_index("outputs_by_time", "outputs", ["at"])


def downgrade() -> None:
    """Drop the table, and with it all that was kept."""
    op.drop_table("outputs")
