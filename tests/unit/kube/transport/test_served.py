"""Versions in the order in which they are spoken."""

from typing import Any, cast

import pytest

from sampan.kube.objects.meta import ApiResource, ApiResourceList
from sampan.kube.objects.quotas import ApiGroup, GroupVersion
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import ResourcePath
from sampan.kube.transport.served import priority, served_in


def test_stable_comes_before_beta_and_that_before_alpha_the_newer_first() -> None:
    told = ["v1alpha2", "v1", "v11beta2", "foo", "v2", "v1beta10", "v1beta2", "v10"]
    assert sorted(told, key=priority, reverse=True) == ["v10", "v2", "v1", "v11beta2", "v1beta10", "v1beta2", "v1alpha2", "foo"]


class Server:
    """A client of a server with one group, whose versions have these resources."""

    def __init__(self, **versions: str) -> None:
        self.versions, self.asked = versions, list[str]()

    async def get(self, path: ResourcePath, *, into: type[Any]) -> Any:
        version = path.url.rpartition("/")[2]
        self.asked.append(version)
        return ApiResourceList(resources=[ApiResource(name=self.versions[version])])

    def group(self) -> ApiGroup:
        return ApiGroup(name="g.example", versions=[GroupVersion(group_version=f"g.example/{each}") for each in self.versions])


@pytest.mark.parametrize(
    ("versions", "want", "asked"),
    [
        ({"v1beta1": "queues", "v1beta2": "queues"}, "g.example/v1beta2", ["v1beta2"]),
        ({"v1beta2": "others", "v1beta1": "queues"}, "g.example/v1beta1", ["v1beta2", "v1beta1"]),
        ({"v1": "others", "next": "queues"}, "", ["v1"]),
    ],
)
async def test_the_newest_version_that_has_the_resource_is_taken(versions: dict[str, str], want: str, asked: list[str]) -> None:
    server = Server(**versions)
    assert await served_in(cast(Client, server), [server.group()], group="g.example", resource="queues") == want
    assert server.asked == asked


async def test_a_server_without_the_group_is_not_asked() -> None:
    server = Server(v1="queues")
    assert await served_in(cast(Client, server), [server.group()], group="other.example", resource="queues") == ""
    assert server.asked == []
