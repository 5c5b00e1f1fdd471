"""Kueue's queues: what is left, borrowing and lending included, beside attempts of ours for which nothing is reserved yet."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from sampan.inventory.in_flight import Created, InFlight
from sampan.inventory.kueue import KueueQueues
from sampan.kube.objects import quotas as kube
from sampan.model.values.vector import Vector
from sampan.scheduling.capacity.quota_usage import QuotaUse

GPU = "nvidia.com/gpu"


@pytest.fixture
def told() -> list[int]:
    return []


@pytest.fixture
def book(told: list[int]) -> KueueQueues:
    return KueueQueues(lambda: told.append(1))


def cluster_queue(name: str, nominal: str, used: str, *, flavor: str = "h100", stop: str = "None", **more: Any) -> kube.ClusterQueue:
    """`more`: `cohort`, `cohort_name`, `borrowing_limit`, `lending_limit`."""
    resource = {"name": GPU, "nominalQuota": nominal}
    resource |= {f"{word}Limit": more[f"{word}_limit"] for word in ("borrowing", "lending") if more.get(f"{word}_limit") is not None}
    spec = {"stopPolicy": stop, "resourceGroups": [{"flavors": [{"name": flavor, "resources": [resource]}]}]}
    spec |= {"cohort": more["cohort"]} if "cohort" in more else {}
    spec |= {"cohortName": more["cohort_name"]} if "cohort_name" in more else {}
    status = {"flavorsReservation": [{"name": flavor, "resources": [{"name": GPU, "total": used}]}]}
    return msgspec.convert({"metadata": {"name": name}, "spec": spec, "status": status}, kube.ClusterQueue)


def local(name: str, serving: str, reserved: str | None = None) -> kube.LocalQueue:
    told = [] if reserved == "" else [{"name": "h100", "resources": [{"name": GPU, "total": reserved}]}]
    status = {} if reserved is None else {"flavorsReservation": told}
    body = {"metadata": {"name": name, "namespace": "jobs"}, "spec": {"clusterQueue": serving}, "status": status}
    return msgspec.convert(body, kube.LocalQueue)


def flight(name: str, gpus: int, *, replicas: int = 1, queue: str = "jobs/gpu", finished: int = 0, admitted: bool = False) -> InFlight:
    return InFlight(
        job_uid=name,
        nodes=(),
        per_replica=Vector(),
        replicas=replicas,
        finished=finished,
        queue=queue,
        use=QuotaUse(each={GPU: gpus, "pods": 1}),
        created=Created(job=admitted, admitted=admitted),
    )


def free(book: KueueQueues, *flights: InFlight, queue: str = "jobs/gpu") -> Mapping[str, int]:
    return book.queues(flights)[queue].free


Numbers = tuple[str, str]
"""Nominal quota and what is reserved."""


@pytest.mark.parametrize(
    ("queues", "limit", "want"),
    [
        ((("16", "4"),), None, 12),
        ((("16", "16"), ("16", "4")), None, 12),
        ((("16", "10"), ("16", "4")), None, 18),
        ((("16", "10"), ("16", "4")), "5", 11),
        ((("16", "20"), ("16", "8")), "8", 4),
        ((("16", "20"), ("16", "16")), "8", 0),
        ((("0", "0"),), None, 0),
        ((("0", "0"), ("16", "0")), "0", 0),
    ],
    ids=["alone", "all borrowed", "both", "limited", "borrows already", "overdrawn", "a nominal quota of 0", "and nothing may be borrowed"],
)
@pytest.mark.parametrize("cohort", ["cohort", "cohort_name"])
def test_kueue_admits_what_is_left_and_what_may_be_borrowed(
    book: KueueQueues, cohort: str, queues: tuple[Numbers, ...], limit: str | None, want: int
) -> None:
    own, *lenders = queues
    shared = {cohort: "city"} if lenders else {}
    made = [cluster_queue("own", *own, borrowing_limit=limit, **shared)]
    book.replace_cluster([*made, *(cluster_queue("lender", *each, **shared) for each in lenders)])
    book.replace_local("jobs", [local("gpu", "own")])
    assert free(book) == {GPU: want}
    assert book.open == {"jobs": {"gpu"}}


def test_a_cohort_lends_no_more_than_its_queues_will(book: KueueQueues) -> None:
    book.replace_local("jobs", [local("gpu", "own")])
    book.replace_cluster([cluster_queue("own", "4", "4", cohort="c"), cluster_queue("lender", "16", "0", cohort="c", lending_limit="6")])
    assert free(book) == {GPU: 6}
    book.put_cluster(cluster_queue("lender", "16", "12", cohort="c", lending_limit="6"))
    assert free(book) == {GPU: 4}, "it uses 2 of what it would lend"
    book.put_cluster(cluster_queue("lender", "16", "0", cohort="c", lending_limit="0"))
    assert free(book) == {GPU: 0}


def test_what_one_queue_of_a_cohort_borrowed_is_not_lent_again(book: KueueQueues) -> None:
    book.replace_local("jobs", [local("gpu", "own")])
    book.replace_cluster([cluster_queue(name, "8", used, cohort="c") for name, used in (("own", "8"), ("lender", "0"), ("third", "14"))])
    assert free(book) == {GPU: 2}


def test_flavours_of_one_name_are_lent_and_others_are_not(book: KueueQueues) -> None:
    book.replace_local("jobs", [local("gpu", "own")])
    book.replace_cluster([cluster_queue("own", "8", "8", cohort="c"), cluster_queue("lender", "8", "0", cohort="c", flavor="a100")])
    assert free(book) == {GPU: 0}


def test_a_job_enters_one_flavour(book: KueueQueues) -> None:
    spec = [{"flavors": [{"name": name, "resources": [{"name": GPU, "nominalQuota": "8"}]} for name in ("spot", "fixed")]}]
    body = {"metadata": {"name": "own"}, "spec": {"resourceGroups": spec}}
    book.put_cluster(msgspec.convert(body, kube.ClusterQueue))
    book.put_local(local("gpu", "own"))
    queue = book.queues(())["jobs/gpu"]
    assert (queue.free, queue.largest) == ({GPU: 16}, {GPU: 8})
    assert book.covered == {"jobs/gpu": {GPU}}


def test_bound_jobs_count_until_the_queue_has_reserved_for_them(book: KueueQueues) -> None:
    """Four jobs of one device in a second on two: two are bound, and each is taken once and not twice."""
    book.put_cluster(cluster_queue("own", "2", "0"))
    book.put_local(local("gpu", "own", ""))
    one, two = flight("one", 1), flight("two", 1)
    assert free(book, one) == {GPU: 1}
    assert free(book, one, two) == {GPU: 0}
    book.put_cluster(cluster_queue("own", "2", "2"))
    book.put_local(local("gpu", "own", "2"))
    assert free(book, one, two) == {GPU: 0}, "seen: counted once"
    assert free(book, one) == {GPU: 0}, "one ended, the queue does not say so yet"
    book.put_cluster(cluster_queue("own", "2", "1"))
    book.put_local(local("gpu", "own", "1"))
    assert free(book, one) == {GPU: 1}


def test_a_queue_that_does_not_say_what_it_reserved_has_reserved_for_what_it_let_in(book: KueueQueues) -> None:
    book.put_cluster(cluster_queue("own", "4", "2"))
    book.put_local(local("gpu", "own"))
    assert free(book, flight("one", 2, admitted=True), flight("two", 1)) == {GPU: 1}


def test_replicas_that_ended_for_good_are_not_reserved(book: KueueQueues) -> None:
    book.put_cluster(cluster_queue("own", "8", "0"))
    book.put_local(local("gpu", "own", ""))
    assert free(book, flight("sweep", 1, replicas=4, finished=3)) == {GPU: 7}


def test_all_queues_of_a_cluster_queue_and_of_a_cohort_draw_on_the_same(book: KueueQueues) -> None:
    book.replace_cluster([cluster_queue("own", "4", "0", cohort="c"), cluster_queue("lender", "2", "0", cohort="c")])
    book.replace_local("jobs", [local("gpu", "own", ""), local("other", "own", ""), local("lent", "lender", "")])
    queues = book.queues([flight("one", 3, queue="jobs/other"), flight("two", 1, queue="jobs/lent")])
    assert {key: dict(queue.free) for key, queue in queues.items()} == {"jobs/gpu": {GPU: 3}, "jobs/other": {GPU: 3}, "jobs/lent": {GPU: 5}}
    assert {queue.source for key, queue in queues.items() if key != "jobs/lent"} == {"own"}
    assert {(queue.cohort, queue.cohort_free[GPU]) for queue in queues.values()} == {("c", 2)}


def test_the_list_of_one_namespace_leaves_those_of_others(book: KueueQueues) -> None:
    book.put_cluster(cluster_queue("own", "8", "0"))
    book.replace_local("jobs", [local("gpu", "own")])
    book.replace_local("elsewhere", [])
    assert list(book.queues(())) == ["jobs/gpu"]


def test_a_stopped_cluster_queue_shuts_its_local_queues(book: KueueQueues, told: list[int]) -> None:
    book.put_local(local("gpu", "own"))
    book.put_cluster(cluster_queue("own", "8", "0", stop="HoldAndDrain"))
    assert book.open == {"jobs": set()}
    assert free(book) == {GPU: 0}
    book.put_cluster(cluster_queue("own", "8", "0"))
    assert book.open == {"jobs": {"gpu"}}
    book.drop_cluster(cluster_queue("own", "8", "0"))
    book.drop_local(local("gpu", "own"))
    assert book.queues(()) == {}
    assert len(told) == 5


def test_an_amount_that_is_none_is_nothing(book: KueueQueues) -> None:
    book.put_cluster(cluster_queue("own", "many", "0"))
    book.put_local(local("gpu", "own"))
    assert free(book) == {GPU: 0}


def test_queues_are_open_that_are_there_and_admit(book: KueueQueues) -> None:
    """By their own word, and by that of their ClusterQueue as far as it is seen; what nobody may look at is not said to be shut."""
    assert book.open == {}
    book.replace_local("jobs", [local("gpu", "own"), local("other", "gone")])
    assert book.open == {"jobs": {"gpu", "other"}}, "no ClusterQueue is seen"
    book.replace_cluster([cluster_queue("own", "8", "0")])
    assert book.open == {"jobs": {"gpu"}}
    known = book.open
    book.put_cluster(cluster_queue("own", "8", "8"))
    assert book.open is known
    book.put_cluster(cluster_queue("own", "8", "0", stop="Hold"))
    assert book.open == {"jobs": set()}
    book.put_cluster(cluster_queue("own", "8", "0"))
    no = {"type": "Active", "status": "False", "reason": "ClusterQueueIsInactive"}
    body = {"metadata": {"name": "gpu", "namespace": "jobs"}, "spec": {"clusterQueue": "own"}, "status": {"conditions": [no]}}
    book.put_local(msgspec.convert(body, kube.LocalQueue))
    assert book.open == {"jobs": set()}


def test_a_member_without_kueue_has_no_queue_at_all(book: KueueQueues) -> None:
    book.found(there=False)
    assert book.open == {"": set()}
    book.found(there=True)
    assert book.open == {}


@pytest.mark.parametrize("field", ["flavorsUsage", "flavorUsage"], ids=["v1beta2", "v1beta1"])
def test_jobs_of_others_in_the_same_queue_do_not_hide_ours(book: KueueQueues, field: str) -> None:
    """Six devices, four of them taken by jobs that are not ours: two are left, and go once."""
    used = [{"name": "h100", "resources": [{"name": GPU, "total": "4"}]}]
    body = {"metadata": {"name": "gpu", "namespace": "jobs"}, "spec": {"clusterQueue": "own"}}
    book.put_cluster(cluster_queue("own", "6", "4"))
    book.put_local(msgspec.convert({**body, "status": {"flavorsReservation": used, field: used}}, kube.LocalQueue))
    assert free(book) == {GPU: 2}
    assert free(book, flight("one", 2)) == {GPU: 0}
