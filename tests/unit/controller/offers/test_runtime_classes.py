"""What an offer is told of its RuntimeClasses."""

from sampan.controller.offers.runtime_classes import NO_PROBLEM, runtime_class_problem
from sampan.model.launch import Launch
from sampan.model.members.cluster import Pool


def pool(name: str, runtime: str = "", *, missing: bool = False) -> Pool:
    return Pool(name=name, cluster_uid="c", nodes=("n",), launch=Launch(runtime_class=runtime), runtime_missing=missing)


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    assert runtime_class_problem([pool("a"), pool("b", "kata")], looked=True) == NO_PROBLEM
    assert runtime_class_problem([pool("a")], looked=False) == NO_PROBLEM
    assert runtime_class_problem([], looked=True) == NO_PROBLEM


def test_one_that_is_missing_is_named_with_the_pools() -> None:
    some = runtime_class_problem([pool("a"), pool("b", "kata", missing=True)], looked=True)
    assert (some.message, some.every_pool) == ("RuntimeClass kata does not exist on the member, no job goes to b", False)
    assert runtime_class_problem([pool("b", "kata", missing=True)], looked=True).every_pool


def test_what_may_not_be_looked_at_is_said_with_the_right_that_lacks() -> None:
    told = runtime_class_problem([pool("a", "kata")], looked=False)
    assert "kata" in told.message
    assert "list and watch of runtimeclasses" in told.message
    assert not told.every_pool
