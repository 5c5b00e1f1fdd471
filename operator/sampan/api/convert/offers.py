"""Offers and Providers of the API as values: claims and grants.

Parsing and translating only. What a claim is worth is judged in the controller; a value of a foreign object never enters a message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from sampan.api.convert.launch import launch_of, tolerations_of, users_of
from sampan.api.fields.common import first_error
from sampan.api.fields.selector import LabelSelector
from sampan.api.kinds.clusteroffer import ClusterOfferSpec, EnergySpec
from sampan.api.kinds.provider import ProviderSpec
from sampan.model.launch import NO_LAUNCH, Launch
from sampan.model.members.offer import NO_ENERGY, Energy, OfferKey, PoolRule, Price, Terms
from sampan.model.members.taint import Toleration
from sampan.model.values.quantity import QuantityError, parse_micro
from sampan.model.values.selector import Expression, Operator, Selector
from sampan.model.values.timestamp import from_rfc3339

_Spec = TypeVar("_Spec", bound=BaseModel)
_WAY_OUT: Final = "; an entry of prices cannot change or go: make a new offer with the right one, and delete this offer"


class InvalidObjectError(ValueError):
    """An object that does not parse; the message names kind, object and field, never a value."""


@dataclass(frozen=True, slots=True, order=True)
class SecretRef:
    """A key of a Secret, and a context of the kubeconfig there: what names a member link."""

    namespace: str
    name: str
    key: str
    context: str = ""
    """Empty: the current one."""

    def __str__(self) -> str:
        """Return namespace/name[key]; the context's name is left out, as people write into it what they like."""
        return f"{self.namespace}/{self.name}[{self.key}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredOffer:
    """What an offer says of itself; nothing of it is believed yet."""

    key: OfferKey
    uid: str
    resource_version: str
    generation: int = 1
    created: int = 0
    """Milliseconds since the epoch."""
    deleting: bool = False
    finalizers: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    known_cluster_uid: str | None = None
    """`status.clusterUID`: the member this offer was for when it was first connected."""
    problem: str = ""
    """Why the spec does not parse; the fields below are then those of the last spec that did, or their defaults."""
    region: str = ""
    jurisdiction: str = ""
    terms: Terms = Terms.ON_DEMAND
    accepting: bool = True
    valid_from: int | None = None
    valid_until: int | None = None
    rules: tuple[PoolRule, ...] = ()
    prices: tuple[Price, ...] = ()
    secret: SecretRef | None = None
    """None only where no spec ever parsed."""
    remote_namespace: str = "sampan-jobs"
    per_tenant: bool = False
    """Each tenant's jobs run in a namespace of their own."""
    image_pull_secrets: tuple[str, ...] = ()
    tenants: Selector = Selector()
    max_run_seconds: int | None = None
    max_devices_per_job: int | None = None
    member_queue: str = ""
    energy: Energy = NO_ENERGY
    tolerations: tuple[Toleration, ...] = ()
    launch: Launch = NO_LAUNCH

    @property
    def age_order(self) -> tuple[int, str]:
        """Return what tells the earlier of two claims: creation, then uid."""
        return self.created, self.uid


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderGrant:
    """What a Provider object grants. An empty tuple grants nothing."""

    name: str
    uid: str = ""
    created: int = 0
    namespaces: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    terms: tuple[Terms, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys with their allowed values; `*` among them allows any value."""
    trusts_overrides: bool = False

    def grants_label(self, key: str, value: str) -> bool:
        """Tell whether an offer's label is passed on."""
        return value in self.labels.get(key, ()) or "*" in self.labels.get(key, ())


def declared_offer(body: Mapping[str, Any], known: DeclaredOffer | None = None) -> DeclaredOffer:
    """Return the claim of a ClusterOffer. Never raises for a bad spec or status: the claim then carries the problem.

    `known` is the claim of the same object before; it lends its fields where the spec no longer parses. Raises KeyError only
    for an object without the metadata that every API server gives.
    """
    meta = body["metadata"]
    key = OfferKey(meta["namespace"], meta["name"])
    same = known if known is not None and known.uid == meta["uid"] else None
    status = body.get("status")
    cluster_uid = status.get("clusterUID") if isinstance(status, Mapping) else None
    claim = replace(
        same or DeclaredOffer(key=key, uid=meta["uid"], resource_version=""),
        resource_version=meta["resourceVersion"],
        generation=int(meta.get("generation", 1)),
        created=from_rfc3339(meta.get("creationTimestamp")) or 0,
        deleting="deletionTimestamp" in meta,
        finalizers=tuple(meta.get("finalizers") or ()),
        labels=dict(meta.get("labels") or {}),
        known_cluster_uid=cluster_uid if isinstance(cluster_uid, str) and cluster_uid else None,
        problem="",
    )
    try:
        spec = parse_object(ClusterOfferSpec, body, f"ClusterOffer {key}")
        return _with_spec(claim, spec)
    except InvalidObjectError as error:
        return replace(claim, problem=f"{error}{_WAY_OUT if ': spec.prices[' in str(error) else ''}")


def provider_grant(body: Mapping[str, Any]) -> ProviderGrant:
    """Return what a Provider grants; raises `InvalidObjectError`."""
    meta = body["metadata"]
    spec = parse_object(ProviderSpec, body, f"Provider {meta['name']}")
    return ProviderGrant(
        name=meta["name"],
        uid=meta.get("uid", ""),
        created=from_rfc3339(meta.get("creationTimestamp")) or 0,
        namespaces=spec.namespaces,
        jurisdictions=spec.jurisdictions,
        regions=spec.regions,
        terms=spec.terms,
        labels=dict(spec.offer_labels),
        trusts_overrides=spec.trust_pool_overrides,
    )


def selector_of(selector: LabelSelector | None) -> Selector:
    """Return a label selector of the API in canonical order; None selects everything."""
    if selector is None:
        return Selector()
    labels = tuple(Expression(key, Operator.IN, (value,)) for key, value in selector.match_labels.items())
    return Selector() & Selector(labels + tuple(Expression(e.key, e.operator, tuple(sorted(e.values))) for e in selector.match_expressions))


def _with_spec(declared: DeclaredOffer, spec: ClusterOfferSpec) -> DeclaredOffer:
    validity, secret = spec.validity, spec.kubeconfig_secret_ref
    try:
        prices = tuple(
            Price(
                id=entry.id,
                accelerator_class=entry.resource.accelerator_class,
                amount=parse_micro(entry.price),
                currency=entry.currency,
                valid_from=_millis(entry.valid_from) or 0,
            )
            for entry in spec.prices
        )
    except QuantityError:
        raise InvalidObjectError(f"ClusterOffer {declared.key}: spec.prices[].price is not a decimal number") from None
    return replace(
        declared,
        region=spec.region,
        jurisdiction=spec.jurisdiction,
        terms=spec.terms,
        accepting=spec.accepting,
        valid_from=_millis(validity.from_) if validity else None,
        valid_until=_millis(validity.until) if validity else None,
        rules=tuple(
            PoolRule(selector=selector_of(p.node_selector), accelerator_class=p.accelerator_class, max_devices=p.max_devices)
            for p in spec.pools
        ),
        prices=prices,
        secret=SecretRef(declared.key.namespace, secret.name, secret.key, secret.context),
        remote_namespace=spec.remote_namespace,
        per_tenant=spec.per_tenant,
        image_pull_secrets=tuple(ref.name for ref in spec.launch.image_pull_secrets) if spec.launch else (),
        tenants=selector_of(spec.tenants),
        max_run_seconds=spec.limits.max_run_seconds if spec.limits else None,
        max_devices_per_job=spec.limits.max_devices_per_job if spec.limits else None,
        member_queue=spec.member_queue.kueue if spec.member_queue else "",
        energy=_energy(spec.energy),
        tolerations=tolerations_of(spec.launch),
        launch=replace(launch_of(spec.launch), users=users_of(spec.launch)),
    )


def _energy(spec: EnergySpec | None) -> Energy:
    if spec is None:
        return NO_ENERGY
    return Energy(
        pue=None if spec.pue is None else parse_micro(spec.pue),
        renewable_share=None if spec.renewable_share is None else parse_micro(spec.renewable_share),
        grams_co2_per_kwh=spec.grams_co2_per_kwh,
        as_of=_millis(spec.as_of),
    )


def parse_object(kind: type[_Spec], body: Mapping[str, Any], shown: str) -> _Spec:
    """Return the spec of an object shown as `shown`; raises `InvalidObjectError` naming object and field."""
    spec = body.get("spec")
    if not isinstance(spec, Mapping):
        raise InvalidObjectError(f"{shown}: spec is missing")
    try:
        return kind.model_validate(dict(spec))
    except ValidationError as error:
        problem = first_error(error)
    raise InvalidObjectError(f"{shown}: {problem}")


def _millis(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
