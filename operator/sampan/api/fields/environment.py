"""A container's environment: values written out, and those that come from ConfigMaps and Secrets of the job's namespace.

What Sampan itself puts into the environment is in `launch/environment`.
"""

from typing import Annotated, Final

from pydantic import ConfigDict, Field, StringConstraints

from sampan.api.fields.common import ApiModel, Rule
from sampan.api.fields.scalars import Argument, Bool, DnsSubdomain, EnvName

DataKey = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern="^[-._a-zA-Z0-9]+$")]
"""A key of a ConfigMap or a Secret."""
_ONE_SOURCE: Final = "exactly one of configMapKeyRef and secretKeyRef must be given"
_ONE_OBJECT: Final = "exactly one of configMapRef and secretRef must be given"


def _one_of(*fields: str) -> ConfigDict:
    """Exactly one of the fields, as the schema says it: CEL in a list of so many items would be asked of each at every write."""
    return ConfigDict(json_schema_extra={"oneOf": [{"required": [field]} for field in fields]})


class KeyRef(ApiModel):
    """One key of an object of the job's namespace."""

    name: DnsSubdomain = Field(description="Name of the object.")
    key: DataKey = Field(description="Key whose value is meant.")
    optional: Bool = Field(False, description="Whether the job may start although the object or the key is not there.")


class EnvSource(ApiModel):
    """Where a variable's value comes from."""

    model_config = _one_of("configMapKeyRef", "secretKeyRef")
    RULES = (Rule(message=_ONE_SOURCE, is_met=lambda s: (s.config_map_key_ref is None) != (s.secret_key_ref is None)),)
    config_map_key_ref: KeyRef | None = Field(None, description="A key of a ConfigMap of the job's namespace.")
    secret_key_ref: KeyRef | None = Field(
        None, description="A key of a Secret of the job's namespace, which must carry the label sampan.dev/share-with-jobs=true."
    )


class EnvVar(ApiModel):
    """One environment variable: with a literal value, or one from a ConfigMap or a Secret."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["value", "valueFrom"]}})
    RULES = (Rule(message="value and valueFrom exclude each other", is_met=lambda e: e.value_from is None or e.value is None),)
    name: EnvName = Field(description="Name of the variable, a C identifier.")
    value: Argument | None = Field(None, description="Value, taken literally: there is no expansion of $(VAR). Absent: the empty text.")
    value_from: EnvSource | None = Field(None, description="Where the value comes from instead.")


class ObjectRef(ApiModel):
    """An object of the job's namespace."""

    name: DnsSubdomain = Field(description="Name of the object.")
    optional: Bool = Field(False, description="Whether the job may start although there is no such object.")


class EnvFrom(ApiModel):
    """Every key of a ConfigMap or a Secret as a variable. One that `env`, or Sampan itself, gives by the same name wins."""

    model_config = _one_of("configMapRef", "secretRef")
    RULES = (Rule(message=_ONE_OBJECT, is_met=lambda s: (s.config_map_ref is None) != (s.secret_ref is None)),)
    prefix: EnvName | None = Field(None, description="Put before each key; absent: nothing.")
    config_map_ref: ObjectRef | None = Field(None, description="A ConfigMap of the job's namespace.")
    secret_ref: ObjectRef | None = Field(
        None, description="A Secret of the job's namespace, which must carry the label sampan.dev/share-with-jobs=true."
    )
