"""Questions about one job: what is told, to whom, and how a bad question is refused."""

import json
from dataclasses import replace
from typing import Any

import pytest

import builders as b
import jobs
from sampan.controller.query.backend import PendingView
from sampan.controller.query.service import BadQuery, QueryContext, QueryService, quote_input
from sampan.controller.state.queues import QueueRegistry
from sampan.model.backlog import Backlog
from sampan.model.lifecycle import Event, Outcome
from sampan.model.members.offer import Offer
from sampan.model.snapshot import Snapshot
from sampan.model.status.attempt import Attempt
from sampan.model.status.reasons import MemberWord
from sampan.model.values.selector import Expression, Operator, Selector
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule

FOR_B = Selector((Expression("team", Operator.IN, ("b",)),))
GPU = {"alternatives": [{"accelerator": {"class": b.H100, "count": 8}}]}
ITS_TURN = "its turn: 3 jobs come before it, and a cycle starts no more than 1 now"
MEMBER = b.cluster(*b.nodes("n", 2, b.H100))


def asked(*offers: Offer, picture: Snapshot | None = None) -> QueryContext:
    """Team A asks."""
    return QueryContext(snapshot=picture or b.snapshot(offers=offers, clusters=[MEMBER]), namespace="team-a", tenant=(("team", "a"),))


def job(spec: dict[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    """A ComputeJob of eight H100."""
    body = {"apiVersion": "sampan.dev/v1alpha1", "kind": "ComputeJob", "metadata": {"name": "new"}}
    return {**body, "spec": jobs.body(spec=spec or GPU)["spec"], **others}


def quoted(question: QueryContext, body: dict[str, Any]) -> dict[str, Any]:
    """The status of the answer."""
    want = quote_input(json.dumps(body).encode(), "team-a")
    seat = QueueRegistry().place("team-a", want.spec, replace(want.shape, tenant=question.tenant))
    return dict(QueryService().quoted(question, want, replace(seat, shape=replace(seat.shape, tenant=question.tenant)))["status"])


def asking(change: dict[str, Any]) -> dict[str, Any]:
    """A Quote with a change."""
    return {"apiVersion": "query.sampan.dev/v1alpha1", "kind": "Quote", "spec": {"job": job(), "whatIf": change}}


def offers_in(view: dict[str, Any]) -> list[str]:
    """Names of the offers that are told of."""
    return [each["offer"]["name"] for each in view["pools"]]


def test_a_quote_has_price_parts_and_start() -> None:
    told = quoted(asked(b.offer()), job({**GPU, "expectedSeconds": 5400}))
    (pool,) = told["now"]["pools"]
    assert sum(pool["parts"].values()) == pool["score"]
    assert (pool["pricePerHour"], pool["priceExpected"], pool["devices"], pool["room"]) == ("96.00", "144.00", 8, 2)
    assert told["now"]["start"]["atLatest"] == told["observedAt"]
    assert told["queue"] == "default"


def test_an_answer_that_was_prepared_is_the_same() -> None:
    question, answers = asked(b.offer()), QueryService()
    want = quote_input(json.dumps(job()).encode(), "team-a")
    seat = QueueRegistry().place("team-a", want.spec, want.shape)
    unprepared = answers.quoted(question, want, seat)
    prepared = QueryService()
    prepared.prepare(question.snapshot)
    assert prepared.quoted(question, want, seat) == unprepared


def test_private_offers_are_not_there() -> None:
    private = replace(b.offer("private"), tenants=FOR_B)
    told = quoted(asked(b.offer("open"), private), job())
    assert offers_in(told["now"]) == ["open"]
    with pytest.raises(BadQuery, match="there is no ClusterOffer"):
        quoted(asked(b.offer("open"), private), asking({"withoutOffer": {"namespace": private.key.namespace, "name": "private"}}))


def test_more_nodes_and_a_missing_offer_change_the_answer() -> None:
    big = {"replicas": 3, **GPU}
    pool = b.cells([b.offer()], [MEMBER])[0].pool.name
    key = {"namespace": b.offer().key.namespace, "name": b.offer().key.name}
    body = asking({"addNodes": {"offer": key, "pool": pool, "count": 1}})
    body["spec"]["job"] = job(big)
    told = quoted(asked(b.offer()), body)
    assert told["now"]["pools"][0]["objections"][0]["reason"] == "TooLarge"
    assert told["whatIf"]["pools"][0]["score"] > 0
    assert quoted(asked(b.offer()), asking({"withoutOffer": key}))["whatIf"]["pools"] == []


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ([], 400, "no object"),
        ({"kind": "Pod"}, 400, "no sampan.dev/v1alpha1 ComputeJob"),
        (job(metadata={"name": "x", "namespace": "team-b"}), 400, "not team-a"),
        (job(metadata=3), 422, "must be objects"),
        ({**job(), "spec": {"template": {"image": "a", "cmd": 1}}}, 422, "cmd"),
        (asking({}), 422, "exactly one of addNodes and withoutOffer"),
        ({**asking({}), "spec": {}}, 422, "Quote.spec.job"),
    ],
)
def test_a_bad_question_names_what_is_wrong(body: Any, code: int, words: str) -> None:
    with pytest.raises(BadQuery, match=words) as told:
        quote_input(json.dumps(body).encode(), "team-a")
    assert told.value.code == code


@pytest.mark.parametrize("body", [b"", b"{", b'{"kind":"\xff"}', b"[" * 100_000, b'{"kind":1e999}'])
def test_what_is_no_json_is_refused_as_such(body: bytes) -> None:
    with pytest.raises(BadQuery, match="no JSON") as told:
        quote_input(body, "team-a")
    assert told.value.code == 400


def test_a_waiting_job_has_its_place_and_others_are_only_counted() -> None:
    record = jobs.record("u9", spec=GPU)
    mine = record.to_job(frozenset())
    others = [replace(mine, uid=f"o{n}", name=f"secret-{n}", namespace="team-z", created=mine.created - 1000) for n in range(3)]
    picture = replace(b.snapshot(offers=[b.offer()], clusters=[MEMBER]), backlog=Backlog.of([*others, mine]), limit=1)
    told = QueryService().explained(asked(picture=picture), record, pending=PendingView(job=mine), pods=())
    status = told["status"]
    assert (told["metadata"]["name"], status["phase"], status["waitsFor"]) == ("job-u9", "Pending", ITS_TURN)
    assert (status["place"]["aheadOthers"], status["place"]["position"]) == (3, 4)
    assert "secret" not in json.dumps(told)
    assert "team-z" not in json.dumps(told)


def test_a_job_in_its_pause_starts_nowhere_before() -> None:
    record = jobs.record("u9", spec=GPU)
    question = asked(b.offer())
    paused = PendingView(job=record.to_job(frozenset()), not_before=question.snapshot.now + 5000)
    status = QueryService().explained(question, record, pending=paused, pods=())["status"]
    assert status["waitsFor"] == "the end of its pause, at 2027-01-15T08:00:05Z"
    assert "startsIn" not in status
    assert status["start"]["atLatest"] == "2027-01-15T08:00:05Z"


def test_a_job_whose_binding_is_being_written_is_not_asked_about_anew() -> None:
    """Its place counts as taken already: asked anew it would find itself in the way."""
    record, picture = jobs.record("u9", spec=GPU), b.snapshot(offers=[b.offer()], clusters=[MEMBER])
    mine = record.to_job(frozenset())
    (done,) = schedule(replace(picture, backlog=Backlog.of([mine])), Memo())[0].assignments
    status = QueryService().explained(asked(b.offer()), record, pending=PendingView(job=mine, planned=done), pods=())["status"]
    assert status["message"] == f"pool {done.pool} of offer prov/o1 was chosen; the binding is being written"
    assert status["startsIn"] == {"offer": {"namespace": "prov", "name": "o1"}, "pool": done.pool}
    assert status["pools"][0]["score"] == done.verdicts[0].score
    assert "waitsFor" not in status


def test_pools_that_cool_down_for_the_namespace_do_so_for_a_quote() -> None:
    question, want = asked(b.offer()), quote_input(json.dumps(job()).encode(), "team-a")
    seat = replace(QueueRegistry().place("team-a", want.spec, want.shape), shape=replace(want.shape, tenant=question.tenant))
    cell = next(each for each in question.snapshot.cells if each.pool.resource)
    view = QueryService().quoted(question, want, seat, cooling=frozenset({(cell.offer, cell.pool.name)}))["status"]["now"]
    assert "startsIn" not in view
    assert view["pools"][0]["objections"][0]["reason"] == "OfferCoolingDown"


def test_a_suspended_job_starts_nowhere() -> None:
    told = quoted(asked(b.offer()), job({**GPU, "suspend": True}))["now"]
    assert told["waitsFor"] == "spec.suspend to be false"
    assert "startsIn" not in told
    assert told["pools"][0]["score"] > 0
    assert quoted(asked(b.offer()), job(GPU))["now"]["startsIn"]["pool"] == told["pools"][0]["pool"]


def test_a_bound_job_keeps_its_verdicts_and_its_member_speaks() -> None:
    verdicts = [
        "prov-a/lingang h100-x8: 70 = cost 70",
        f"{b.offer().key.namespace}/private p: RegionExcluded",
        "prov-b/gone p: RegionExcluded, OfALaterVersion",
    ]
    record = jobs.record("u1", status={**jobs.shown(jobs.bound_status()), "verdicts": verdicts})
    private = replace(b.offer("private"), tenants=FOR_B)
    told = QueryService().explained(asked(b.offer(), private), record, pending=None, pods=())["status"]
    assert [(pool["offer"]["name"], pool.get("score")) for pool in told["pools"]] == [("lingang", 70), ("gone", None)]
    assert [each["reason"] for each in told["pools"][1]["objections"]] == ["RegionExcluded"]
    assert told["binding"]["pool"] == "h100-x8"
    assert "clusterUID" not in told["binding"]


@pytest.mark.parametrize(
    ("event", "code", "want"),
    [
        (Event.FAILED, 3, "the job failed with exit code 3; its last place was pool h100-x8 of offer prov-a/lingang"),
        (Event.SUCCEEDED, None, "the job succeeded; its last place was pool h100-x8 of offer prov-a/lingang"),
    ],
)
def test_a_job_that_ended_says_how_and_where(event: Event, code: int | None, want: str) -> None:
    status = jobs.bound_status(running=True).finished(event, reason=MemberWord("Over"), message="", at=jobs.NOW)
    status = replace(status, attempts=(Attempt(number=1, outcome=Outcome.APP_FAILED, exit_code=code),))
    told = QueryService().explained(asked(b.offer()), jobs.record("u1", status=status), pending=None, pods=())["status"]
    assert told["message"] == want
