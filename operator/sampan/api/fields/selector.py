"""Label selectors at the border, as Kubernetes has them, but bounded. What they mean is in `model/selector`."""

from typing import Annotated, ClassVar

from pydantic import Field

from sampan.api.fields.common import ApiModel, Rule, as_atomic
from sampan.api.fields.scalars import LABEL_KEY_PATTERN, LabelKey, LabelValue
from sampan.model.values.selector import Operator

_WITH_VALUES = (Operator.IN, Operator.NOT_IN)


class LabelExpression(ApiModel):
    """One requirement on one label."""

    RULES: ClassVar = (
        Rule(
            cel="(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
            message="values must be given with In and NotIn, and must be absent with Exists and DoesNotExist",
            is_met=lambda e: (e.operator in _WITH_VALUES) == bool(e.values),
        ),
    )
    key: LabelKey = Field(description="Label key.")
    operator: Operator = Field(description="How the label compares with values: In, NotIn, Exists or DoesNotExist.")
    values: Annotated[tuple[LabelValue, ...], as_atomic(64)] = Field(
        (), description="Values for In and NotIn; absent with Exists and DoesNotExist."
    )


class LabelSelector(ApiModel):
    """Selects objects by their labels; all requirements must hold, an empty selector selects everything."""

    match_labels: Annotated[
        dict[LabelKey, LabelValue],
        Field(
            max_length=32,
            json_schema_extra={
                "x-kubernetes-validations": [
                    {
                        "rule": f"self.all(k, size(k) <= 317 && k.matches(r'{LABEL_KEY_PATTERN}'))",
                        "message": "every key must be a label key such as example.com/tier",
                    }
                ]
            },
        ),
    ] = Field({}, description="Labels that must have exactly these values.")
    match_expressions: Annotated[tuple[LabelExpression, ...], as_atomic(32)] = Field((), description="Further requirements on labels.")
