"""For tests: one model against examples that its rules must pass and refuse. Knows no kind."""

from typing import Any

import pytest
from pydantic import ValidationError

from sampan.api.fields.common import ApiModel, first_error


def accepts(model: type[ApiModel], raw: Any) -> None:
    """Assert that the model reads the object, and reads its own writing as the same value."""
    value = model.model_validate(raw)
    assert model.model_validate(value.as_json()) == value


def refuses(model: type[ApiModel], raw: Any, want: str) -> None:
    """Assert that the model refuses the object with an error that holds the text."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(raw)
    assert want in first_error(caught.value)
