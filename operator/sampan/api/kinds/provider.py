"""Provider: what the platform team grants to one provider. Its offers are believed only within these grants."""

from typing import Annotated, ClassVar

from pydantic import Field

from sampan.api.fields.common import ApiModel, Rule, as_set
from sampan.api.fields.scalars import LABEL_KEY_PATTERN, Bool, Country, DisplayText, DnsLabel, GrantedValue, LabelKey
from sampan.model.members.offer import Terms

_KEYS = {
    "rule": f"self.all(k, size(k) <= 317 && k.matches(r'{LABEL_KEY_PATTERN}'))",
    "message": "every key must be a label key such as example.com/tier",
}


class ProviderSpec(ApiModel):
    """What offers from the provider's namespaces may claim."""

    RULES: ClassVar = (
        Rule(  # the schema's word on a set, which as_set checks for the model's own fields alone
            message="offerLabels must not hold the same value of a key twice",
            is_met=lambda p: all(len(set(values)) == len(values) for values in p.offer_labels.values()),
        ),
    )
    display_name: DisplayText = Field("", description="Name shown to people by kubectl get providers.")
    namespaces: Annotated[tuple[DnsLabel, ...], as_set(64, min_items=1)] = Field(
        description="Namespaces whose ClusterOffers are this provider's. A namespace belongs to one Provider: the oldest that names it."
    )
    jurisdictions: Annotated[tuple[Country, ...], as_set(64)] = Field(
        (), description="Jurisdictions that its offers may claim; empty: none."
    )
    regions: Annotated[tuple[DnsLabel, ...], as_set(256)] = Field((), description="Regions that its offers may claim; empty: none.")
    terms: Annotated[tuple[Terms, ...], as_set(4)] = Field((), description="Terms that its offers may have; empty: none.")
    offer_labels: Annotated[
        dict[LabelKey, Annotated[tuple[GrantedValue, ...], as_set(64)]],
        Field(max_length=64, json_schema_extra={"x-kubernetes-validations": [_KEYS]}),
    ] = Field({}, description="Labels of its offers that jobs may select by: each key with its allowed values; * allows any value.")
    trust_pool_overrides: Bool = Field(False, description="Whether spec.pools[].acceleratorClass of its offers is believed. Default false.")
