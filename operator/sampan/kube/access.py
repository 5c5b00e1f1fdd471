"""Which rights a credential has on its server.

Lives here: access as a value and the question to the server.
Must never live here: which rights Sampan needs (the caller knows).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sampan.kube.objects.meta import ResourceRule


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Access:
    """One verb on one resource; empty ``namespace``: in all namespaces or cluster-scoped, empty ``name``: any."""

    verb: str
    resource: str
    group: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        """As people write it: ``create jobs.batch in sampan-jobs``."""
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        resource = f"{resource}/{self.subresource}" if self.subresource else resource
        named = f" {self.name}" if self.name else ""
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {resource}{named}{where}"

    def allowed_by(self, rules: Iterable[ResourceRule]) -> bool:
        """Tell whether rules that hold in its namespace allow it, as RBAC reads them."""
        resource = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return any(
            {"*", self.verb} & set(rule.verbs)
            and {"*", self.group} & set(rule.api_groups)
            and {"*", resource, f"*/{self.subresource}"} & set(rule.resources)
            and (not rule.resource_names or self.name in rule.resource_names)
            for rule in rules
        )

    def review(self) -> dict[str, object]:
        """The SelfSubjectAccessReview to post."""
        attributes = {
            "verb": self.verb,
            "group": self.group,
            "resource": self.resource,
            "subresource": self.subresource,
            "namespace": self.namespace,
            "name": self.name,
        }
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
        }
