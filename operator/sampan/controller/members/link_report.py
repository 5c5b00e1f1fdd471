"""What is said of a member link: whether it is connected and why not, since when it is lost, and what it found. No I/O."""

from collections.abc import Mapping
from typing import NamedTuple

from sampan.controller.members.connection.session import Session
from sampan.controller.members.facts import CredentialFacts, LinkFacts, PodRules
from sampan.controller.members.memory import LinkMemory
from sampan.controller.members.outage import Outage, outage_after
from sampan.model.members.credential_end import ending
from sampan.model.members.offer_reasons import ConditionText, OfferReason


class ReportChanges(NamedTuple):
    """What is to be told of a link."""

    facts: bool
    """What is known of it is another."""
    jobs: bool
    """A decision about a job may come out otherwise now: its namespace is followed again, or what keeps it waiting is another."""


class LinkReport:
    """The newest facts of a link. `source` says what is wrong with the Secret, `problem` why the last connection ended."""

    def __init__(self, source: ConditionText) -> None:
        """Nothing was found yet."""
        self.facts = LinkFacts()
        self.outages: Mapping[str, Outage] = {}
        self.source: ConditionText | None = source
        self.problem: ConditionText | None = None
        self._followed: frozenset[str] = frozenset()
        """Namespaces whose jobs may be acted upon, and `""` for those that are followed no more; none while the link is not ready."""

    def update(self, session: Session | None, memory: LinkMemory, *, now: int, ready: bool) -> ReportChanges:
        """Look at the connection of this moment (milliseconds since the epoch); return what is to be told of it.

        `ready`: the member may be acted upon.
        """
        facts = self._found(session, memory, now)
        silent = session.silent_for if session is not None and facts.reason == OfferReason.UNREACHABLE else 0.0
        heard = now - int(silent * 1000)
        found = {name: outage_after(facts.of(name), self.outages.get(name), heard=heard) for name in ("", *memory.namespaces)}
        outages = {name: outage for name, outage in found.items() if outage is not None}
        behind = {name for name, *_ in facts.behind}
        followed = frozenset(("", *memory.namespaces)) - behind if ready else frozenset[str]()
        changes = ReportChanges(facts=facts != self.facts, jobs=outages != self.outages or not followed <= self._followed)
        self.facts, self.outages, self._followed = facts, outages, followed
        return changes

    def _found(self, session: Session | None, memory: LinkMemory, now: int) -> LinkFacts:
        rights = memory.access
        followed = session is not None and session.synced and session.stalled is None
        up = session is not None and session.alive and (followed or bool(rights and LinkFacts(missing=rights.missing).of("").missing))
        if up:
            self.problem = None
        published = memory.published
        current = published is None or published.fresh
        reason, message = self._condition(session, memory, up=up) if current or not up else (OfferReason.CAPACITY_STALE, "")
        if up and published is not None:
            message = "; ".join(part for part in (message, published.description) if part)
        return LinkFacts(
            connected=up and current,
            reason=reason,
            message=message,
            cluster_uid=memory.cluster_uid,
            version=memory.version,
            missing=rights.missing if rights else None,
            absent=rights.absent if rights else (),
            behind=tuple(sorted((name, *why) for name, why in session.behind.items())) if session else (),
            over_privileged=bool(rights and rights.over_privileged),
            credential=self._credential(session, memory, now),
            tenants=memory.tenants.all(memory.offers),
            rules=PodRules(
                pod_security=tuple(sorted(memory.inventory.quotas.pod_security.items())),
                unseen=memory.optional.unseen,
            ),
        )

    def _credential(self, session: Session | None, memory: LinkMemory, now: int) -> CredentialFacts:
        known = memory.credentials
        used = session.client.credentials if session is not None else known.newest
        end = None if used is None else ending(used.ends * 1000, renewal=known.renewal, now=now)
        return CredentialFacts(fingerprint=used.fingerprint[:12] if session and used else self.facts.credential.fingerprint, end=end)

    def _condition(self, session: Session | None, memory: LinkMemory, *, up: bool) -> ConditionText:
        doubtful = self.source or (session.rotation_problem if session else None)
        if up:
            kept = "; the last good kubeconfig stays in use"
            return (doubtful[0], doubtful[1] + kept) if doubtful else (OfferReason.CONNECTED, "")
        if doubtful and memory.credentials.newest is None:
            return doubtful
        trouble = (session.problem or session.stalled if session else None) or self.problem
        trouble = trouble or ((OfferReason.SYNCING, "reading what is there") if session else (OfferReason.CONNECTING, ""))
        return (doubtful[0], f"{doubtful[1]}; with the last good kubeconfig: {trouble[0]}") if doubtful else trouble
