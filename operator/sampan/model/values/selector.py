"""Label selectors as an algebra: what a Kubernetes LabelSelector means, decided on plain mappings."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Operator(StrEnum):
    """How an expression compares a label with its values, as in `metav1.LabelSelectorOperator`."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True, slots=True)
class Expression:
    """One requirement on one label."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels meet this requirement; an absent label meets NotIn, as in Kubernetes."""
        present = self.key in labels
        match self.operator:
            case Operator.IN:
                return present and labels[self.key] in self.values
            case Operator.NOT_IN:
                return not present or labels[self.key] not in self.values
            case Operator.EXISTS:
                return present
            case Operator.DOES_NOT_EXIST:
                return not present


@dataclass(frozen=True, slots=True)
class Selector:
    """All expressions together; the empty selector matches everything."""

    expressions: tuple[Expression, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels meet every expression."""
        return all(expression.matches(labels) for expression in self.expressions)

    @property
    def exact(self) -> tuple[tuple[str, str], ...]:
        """Return the (key, value) pairs that every matching mapping holds."""
        return tuple((e.key, e.values[0]) for e in self.expressions if e.operator is Operator.IN and len(e.values) == 1)

    def __and__(self, other: "Selector") -> "Selector":
        """Return the selector that both sides must match, in canonical order without repetitions."""
        merged = {*self.expressions, *other.expressions}
        return Selector(tuple(sorted(merged, key=lambda e: (e.key, e.operator, e.values))))
