"""What an offer is told of its RuntimeClasses."""

from sampan.controller.offers.runtime_classes import NO_TROUBLE, runtime_trouble
from sampan.model.cluster import Pool
from sampan.model.launch import Launch


def pool(name: str, runtime: str = "", *, missing: bool = False) -> Pool:
    return Pool(name=name, cluster_uid="c", nodes=("n",), launch=Launch(runtime_class=runtime), runtime_missing=missing)


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    assert runtime_trouble([pool("a"), pool("b", "kata")], looked=True) == NO_TROUBLE
    assert runtime_trouble([pool("a")], looked=False) == NO_TROUBLE
    assert runtime_trouble([], looked=True) == NO_TROUBLE


def test_one_that_is_missing_is_named_with_the_pools() -> None:
    some = runtime_trouble([pool("a"), pool("b", "kata", missing=True)], looked=True)
    assert (some.message, some.every_pool) == ("RuntimeClass kata does not exist on the member, no job goes to b", False)
    assert runtime_trouble([pool("b", "kata", missing=True)], looked=True).every_pool


def test_what_may_not_be_looked_at_is_said_with_the_right_that_lacks() -> None:
    told = runtime_trouble([pool("a", "kata")], looked=False)
    assert "kata" in told.message
    assert "list and watch of runtimeclasses" in told.message
    assert not told.every_pool
