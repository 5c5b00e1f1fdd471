"""Queues at the border: bounds, and defaults that limit nothing."""

import pytest
from pydantic import ValidationError

from sampan.api.kinds.queue_kind import QueueSpec


def test_a_bare_queue_is_valid() -> None:
    spec = QueueSpec()
    assert (spec.weight, spec.namespaces, spec.highest_priority) == ("1", (), None)


@pytest.mark.parametrize("wrong", [{"weight": "-1"}, {"weight": "heavy"}, {"highestPriority": 1001}, {"namespaces": ["a", "a"]}])
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        QueueSpec.model_validate(wrong)
