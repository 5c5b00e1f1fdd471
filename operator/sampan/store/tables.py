"""The tables as they are after the newest step of `versions`. Queries are elsewhere."""

from typing import Final

import sqlalchemy as sa

METADATA: Final = sa.MetaData()

CHARGES: Final = sa.Table(
    "charges",
    METADATA,
    sa.Column("job_uid", sa.String(64), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("queue", sa.String(63), nullable=False),
    sa.Column("namespace", sa.String(63), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.BigInteger, nullable=False),
    sa.Column("final", sa.Boolean, nullable=False),
    sa.Index("charges_by_final", "final", "at"),
)
"""One row an attempt: what it was charged for which span, corrected once it ended."""

TOTALS: Final = sa.Table(
    "totals",
    METADATA,
    sa.Column("queue", sa.String(63), primary_key=True),
    sa.Column("namespace", sa.String(63), primary_key=True),
    sa.Column("amount", sa.Text, nullable=False),
)
"""Sums of all charges, inflated to one moment; decimal text, because they outgrow 64 bits within a year."""

OUTPUTS: Final = sa.Table(
    "outputs",
    METADATA,
    sa.Column("job_uid", sa.String(64), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True),
    sa.Column("namespace", sa.String(63), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("packed", sa.LargeBinary, nullable=False),
    sa.Index("outputs_by_namespace", "namespace", "at"),
    sa.Index("outputs_by_time", "at"),
)
"""One row an attempt's rank: what it printed last, packed with zlib; `size` is the packed one."""

FACTS: Final = sa.Table("facts", METADATA, sa.Column("name", sa.String(63), primary_key=True), sa.Column("value", sa.Text, nullable=False))
"""What the sums rest on: the half-life."""
