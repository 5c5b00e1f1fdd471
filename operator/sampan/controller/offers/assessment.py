"""What an offer is worth: what it declares against what its Provider grants and its link found, as conditions and an approved Offer.

Pure: facts in, an assessment out; no I/O, no clock. Nothing that was not granted leaves this file.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sampan.api.convert.offers import DeclaredOffer, ProviderGrant
from sampan.controller.members.facts import LinkFacts
from sampan.controller.offers.runtime_classes import NO_PROBLEM, RuntimeClassProblem
from sampan.model.launch import PodSecurity
from sampan.model.members.offer import NO_ENERGY, Energy, Offer
from sampan.model.members.offer_reasons import ConditionText, OfferConditionType, OfferReason
from sampan.model.status.condition import Fact
from sampan.model.values.names import FINALIZER

MESSAGE_LIMIT: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFacts:
    """What the hub itself is, as far as offers go."""

    cluster_uid: str
    currency: str = "CNY"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedOffer:
    """An offer with approved values only, and the conditions that say how it stands."""

    offer: Offer
    approved: Fact
    connected: Fact
    permitted: Fact

    @property
    def conditions(self) -> tuple[Fact, ...]:
        """Return the three conditions in the order of a way in."""
        return self.approved, self.connected, self.permitted


def grant_for(namespace: str, grants: Iterable[ProviderGrant]) -> ProviderGrant | None:
    """Return the Provider that a namespace belongs to: the oldest that names it."""
    return min((g for g in grants if namespace in g.namespaces), key=lambda g: (g.created, g.uid, g.name), default=None)


def holder_of(cluster_uid: str, declared: Iterable[tuple[DeclaredOffer, str | None]]) -> DeclaredOffer | None:
    """Return the offer with whose namespace a cluster is: one that was connected to it before, else the earliest.

    `declared` are pairs of an offer and the UID of its member. An offer that jobs may run on is never displaced by an older one
    that only now finds the same cluster.
    """
    contenders = (declared for declared, found in declared if found == cluster_uid)
    return min(contenders, key=lambda declared: (declared.known_cluster_uid != cluster_uid, *declared.age_order), default=None)


def assess(
    declared: DeclaredOffer, grants: Iterable[ProviderGrant], facts: LinkFacts, *, holder: DeclaredOffer | None, hub: HubFacts
) -> AssessedOffer:
    """Return what the offer is worth. `holder` is who its cluster belongs to, None where that is not known."""
    grants = tuple(grants)
    grant = grant_for(declared.key.namespace, grants)
    approved = _approved(declared, grant, any_provider=bool(grants), currency=hub.currency)
    connected = _connected(declared, facts, holder=holder, hub_cluster_uid=hub.cluster_uid)
    permitted = _permitted(declared, facts)
    tenants = {each.tenant: each.namespace for each in facts.tenants if not each.problem} if declared.per_tenant else None
    offer = Offer(
        key=declared.key,
        uid=declared.uid,
        provider=grant.name if grant else "",
        region=declared.region if approved.is_true else "",
        jurisdiction=declared.jurisdiction if approved.is_true else "",
        terms=declared.terms,
        cluster_uid=_identity(declared, facts) if connected.is_true else declared.known_cluster_uid,
        labels=_granted_labels(declared, grant) if approved.is_true else {},
        accepting=declared.accepting and not declared.deleting and FINALIZER in declared.finalizers,
        approved=bool(approved.is_true),
        connected=bool(connected.is_true),
        permitted=bool(permitted.is_true),
        valid_from=declared.valid_from,
        valid_until=declared.valid_until,
        rules=declared.rules,
        prices=declared.prices,
        tenants=declared.tenants,
        max_run_seconds=declared.max_run_seconds,
        max_devices_per_job=declared.max_devices_per_job,
        energy=declared.energy,
        tolerations=declared.tolerations,
        launch=declared.launch,
        member_queue=declared.member_queue,
        namespace=declared.remote_namespace,
        tenant_namespaces=tenants,
        pod_security=_level(facts, (declared.remote_namespace,) if tenants is None else tenants.values()),
    )
    return AssessedOffer(offer=offer, approved=approved, connected=connected, permitted=permitted)


def _level(facts: LinkFacts, namespaces: Iterable[str]) -> PodSecurity | None:
    """Return the strictest level that any of the namespaces is known to enforce."""
    told = {level for name, level in facts.rules.pod_security if name in set(namespaces)}
    return next((level for level in PodSecurity if level in told), None)


def _tenants(declared: DeclaredOffer, facts: LinkFacts) -> str:
    """Return in words which tenants have no namespace that can be used; empty where all have, or all share one."""
    if not declared.per_tenant:
        return ""
    if not facts.tenants:
        return f"ConfigMap sampan-tenants in {declared.remote_namespace} lists no tenant: name them in tenants of the member chart"
    troubled = [f"{each.tenant} ({each.problem})" for each in facts.tenants if each.problem]
    return f"jobs of some tenants cannot run there: {_some(troubled)}" if troubled else ""


def schedulable(
    declared: DeclaredOffer, assessed: AssessedOffer, *, has_pools: bool, now: int, runtime: RuntimeClassProblem = NO_PROBLEM
) -> Fact:
    """Return the summary: whether new jobs may go there at the moment (milliseconds since the epoch), else the first thing in the way."""
    no: ConditionText | None = None
    if declared.deleting:
        no = OfferReason.DRAINING, "the offer is being deleted; no new jobs"
    elif not assessed.approved.is_true:
        no = OfferReason.NOT_APPROVED, assessed.approved.message
    elif not assessed.connected.is_true:
        no = OfferReason.NOT_CONNECTED, assessed.connected.message
    elif not assessed.permitted.is_true:
        no = OfferReason.PERMISSIONS_MISSING, assessed.permitted.message
    elif FINALIZER not in declared.finalizers:
        no = OfferReason.FINALIZER_MISSING, f"finalizer {FINALIZER} is not on the offer yet"
    elif not declared.accepting:
        no = OfferReason.NOT_ACCEPTING, "spec.accepting is false"
    elif not assessed.offer.valid_at(now):
        no = OfferReason.NOT_VALID, "outside of spec.validity"
    elif not has_pools:
        no = OfferReason.NO_POOLS, "no ready node of the member belongs to a pool of this offer"
    elif runtime.every_pool:
        no = OfferReason.RUNTIME_CLASS_MISSING, f"{runtime.message}: create it there, or change spec.launch.runtimeClassName"
    if no is not None:
        return _condition(OfferConditionType.SCHEDULABLE, False, no)
    told = "; ".join(each for each in (runtime.message, _energy(assessed.offer.energy, now)) if each)
    return _condition(
        OfferConditionType.SCHEDULABLE, True, (OfferReason.RUNTIME_CLASS_UNKNOWN if runtime.message else OfferReason.SCHEDULABLE, told)
    )


def _energy(energy: Energy, now: int) -> str:
    """Return why figures of power that are told count for nothing; empty where they count, or none is told."""
    if energy == NO_ENERGY or (energy.span is not None and energy.span[0] <= now < energy.span[1]):
        return ""
    if energy.lacks:
        return f"spec.energy earns nothing for green: it lacks {', '.join(energy.lacks)}"
    if not energy.possible:
        return "spec.energy earns nothing for green: spec.energy.pue must be 1 or more, such as 1.25"
    return "spec.energy earns nothing for green: spec.energy.asOf must be a moment of the last three years"


def draining(declared: DeclaredOffer, *, in_use: bool, waits_for: str = "") -> Fact | None:
    """Return the Draining condition of an offer that is being deleted; None for one that is not. `waits_for`: what its jobs wait for."""
    if not declared.deleting:
        return None
    if in_use:
        words = "jobs have copies on the member; the offer goes when the last one is gone"
        return _condition(OfferConditionType.DRAINING, True, (OfferReason.JOBS_BOUND, f"{words}: {waits_for}" if waits_for else words))
    return _condition(OfferConditionType.DRAINING, True, (OfferReason.DRAINED, "no copy of a job is left"))


def overcommitted(uses: Mapping[int, tuple[int, int]]) -> Fact | None:
    """Return the Overcommitted condition; None where no rule's limit is exceeded.

    `uses` gives for the index of each entry of spec.pools with a limit: devices in use and the limit.
    """
    over = [f"spec.pools[{index}].maxDevices is {limit}, {used} in use" for index, (used, limit) in sorted(uses.items()) if used > limit]
    return _condition(OfferConditionType.OVERCOMMITTED, True, (OfferReason.OVERCOMMITTED, "; ".join(over))) if over else None


def expiring(declared: DeclaredOffer, facts: LinkFacts) -> Fact | None:
    """Return the CredentialExpiring condition; None where the credential lasts, or the hub renews it."""
    end = facts.credential.end
    if end is None or declared.secret is None:
        return None
    where = f"Secret {declared.secret}"
    return _condition(OfferConditionType.CREDENTIAL_EXPIRING, True, (end.reason, f"{where}: {end.message}"))


def _approved(declared: DeclaredOffer, grant: ProviderGrant | None, *, any_provider: bool, currency: str) -> Fact:
    no: ConditionText | None = None
    shown = f"ClusterOffer {declared.key}"
    if declared.problem:
        no = OfferReason.INVALID_SPEC, declared.problem
    elif grant is None and not any_provider:
        no = (
            OfferReason.NO_PROVIDER,
            f"{shown}: there is no Provider; the platform team creates one that names namespace {declared.key.namespace}",
        )
    elif grant is None:
        no = OfferReason.NAMESPACE_NOT_GRANTED, f"{shown}: no Provider names namespace {declared.key.namespace} in spec.namespaces"
    elif declared.jurisdiction not in grant.jurisdictions:
        no = OfferReason.JURISDICTION_NOT_GRANTED, f"{shown}: spec.jurisdiction is not among spec.jurisdictions of Provider {grant.name}"
    elif declared.region not in grant.regions:
        no = OfferReason.REGION_NOT_GRANTED, f"{shown}: spec.region is not among spec.regions of Provider {grant.name}"
    elif declared.terms not in grant.terms:
        no = OfferReason.TERMS_NOT_GRANTED, f"{shown}: spec.terms is not among spec.terms of Provider {grant.name}"
    if no is not None or grant is None:
        return _condition(OfferConditionType.APPROVED, False, no or (OfferReason.NO_PROVIDER, ""))
    unused = list(_unused(declared, grant, currency))
    if unused:
        return _condition(OfferConditionType.APPROVED, True, (unused[0][0], f"{shown}: {'; '.join(message for _, message in unused)}"))
    return _condition(OfferConditionType.APPROVED, True, (OfferReason.GRANTED, f"granted by Provider {grant.name}"))


def _unused(declared: DeclaredOffer, grant: ProviderGrant, currency: str) -> Iterator[ConditionText]:
    """Yield reason and message of what an approved offer says and nobody acts on."""
    held_back = sorted(declared.labels.keys() - _granted_labels(declared, grant).keys())
    if held_back:
        yield (
            OfferReason.LABEL_NOT_GRANTED,
            f"labels not granted by spec.offerLabels of Provider {grant.name} are not passed on: {_some(held_back)}",
        )
    overrides = [f"spec.pools[{index}].acceleratorClass" for index, rule in enumerate(declared.rules) if rule.accelerator_class]
    if overrides and not grant.trusts_overrides:
        yield (
            OfferReason.OVERRIDE_NOT_TRUSTED,
            f"Provider {grant.name} does not set spec.trustPoolOverrides, the detected class counts: {_some(overrides)} not used",
        )
    foreign = [f"spec.prices[{index}].currency" for index, price in enumerate(declared.prices) if price.currency != currency]
    if foreign:
        yield OfferReason.FOREIGN_CURRENCY, f"only prices in {currency}, the hub's currency, count: {_some(foreign)} is another"


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _connected(declared: DeclaredOffer, facts: LinkFacts, *, holder: DeclaredOffer | None, hub_cluster_uid: str) -> Fact:
    no: ConditionText | None = None
    found = facts.cluster_uid
    if found is not None and found == hub_cluster_uid:
        no = OfferReason.HUB_AS_MEMBER, "the kubeconfig leads to the hub itself; a member must be another cluster"
    elif found is not None and declared.known_cluster_uid not in (None, found):
        no = (
            OfferReason.IDENTITY_CHANGED,
            "the kubeconfig leads to another cluster than the one in status.clusterUID; nothing is done there: make a new offer for it",
        )
    elif holder is not None and holder.key.namespace != declared.key.namespace:
        no = OfferReason.DUPLICATE_CLUSTER, "the same cluster was offered earlier from another namespace; one provider can offer it"
    if no is not None:
        return _condition(OfferConditionType.CONNECTED, False, no)
    return _condition(OfferConditionType.CONNECTED, facts.connected, (facts.reason, facts.message))


def _permitted(declared: DeclaredOffer, facts: LinkFacts) -> Fact:
    if facts.missing is None:
        return _condition(OfferConditionType.PERMISSIONS_SUFFICIENT, None, (OfferReason.NOT_REVIEWED, "the member was not asked yet"))
    gone = dict(facts.absent)
    if declared.remote_namespace in gone:
        return _condition(
            OfferConditionType.PERMISSIONS_SUFFICIENT, False, (OfferReason.NAMESPACE_MISSING, gone[declared.remote_namespace])
        )
    if facts.missing:
        return _condition(
            OfferConditionType.PERMISSIONS_SUFFICIENT,
            False,
            (OfferReason.MISSING_PERMISSIONS, f"MissingPermissions: [{', '.join(facts.missing)}]"),
        )
    if facts.over_privileged:
        message = "OverPrivileged: the credential may do anything on the member; use the member chart's ServiceAccount"
        return _condition(OfferConditionType.PERMISSIONS_SUFFICIENT, True, (OfferReason.OVER_PRIVILEGED, message))
    unseen = (
        f"may not look at {', '.join(facts.rules.unseen)}: what they forbid is known only once a pod is refused (look.quotas of the chart)"
    )
    message = "; ".join(each for each in (_tenants(declared, facts), unseen if facts.rules.unseen else "") if each)
    return _condition(OfferConditionType.PERMISSIONS_SUFFICIENT, True, (OfferReason.PERMISSIONS_SUFFICIENT, message))


def _granted_labels(declared: DeclaredOffer, grant: ProviderGrant | None) -> dict[str, str]:
    return {} if grant is None else {key: value for key, value in declared.labels.items() if grant.grants_label(key, value)}


def _identity(declared: DeclaredOffer, facts: LinkFacts) -> str | None:
    return declared.known_cluster_uid or facts.cluster_uid


def _condition(kind: OfferConditionType, is_true: bool | None, why: ConditionText) -> Fact:
    return Fact(kind, is_true, why[0], _cut(why[1]))


def _cut(message: str) -> str:
    return message if len(message) <= MESSAGE_LIMIT else message[: MESSAGE_LIMIT - 1] + "…"
