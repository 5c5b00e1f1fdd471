"""What is counted is kept exactly: whole numbers where they fit, text where they outgrow any number type."""

import sqlalchemy as sa

from sampan.store.tables import CHARGES, METADATA, TOTALS


def test_no_amount_is_a_float() -> None:
    kinds = {(table.name, column.name): type(column.type) for table in METADATA.tables.values() for column in table.columns}
    assert not [where for where, kind in kinds.items() if issubclass(kind, sa.Numeric)]
    assert kinds["totals", "amount"] is sa.Text


def test_an_attempt_and_a_namespace_of_a_queue_have_one_row() -> None:
    assert [column.name for column in CHARGES.primary_key] == ["job_uid", "attempt"]
    assert [column.name for column in TOTALS.primary_key] == ["queue", "namespace"]
