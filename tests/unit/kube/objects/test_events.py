"""Events are asked for by the UID of what they are about, and read whoever wrote them."""

from typing import Any

import msgspec
import pytest

from sampan.kube.objects.events import MAX_EVENTS, Event, events_of
from sampan.kube.transport.client import Client
from unit.controller.fake_cluster import cluster


def event(name: str, uid: str, **fields: Any) -> dict[str, Any]:
    """An event as an API server gives it."""
    return {"metadata": {"name": name, "namespace": "jobs"}, "involvedObject": {"uid": uid}, "type": "Warning", **fields}


async def test_events_of_these_objects_are_read_and_no_others() -> None:
    async with cluster() as api, Client(api.credentials) as client:
        for number, uid in enumerate(("u1", "u2", "u3")):
            api.put("v1/events", event(f"e{number}", uid, reason="FailedMount", message=f"about {uid}"))
        found = await events_of(client, "jobs", ("u1", "u3"))
        assert [each.message for each in found] == ["about u1", "about u3"]
        assert all(f"limit={MAX_EVENTS}" in call.path for call in api.calls("GET"))


@pytest.mark.parametrize(
    ("fields", "last"),
    [
        ({"lastTimestamp": "2026-01-01T00:00:02Z", "eventTime": None}, "2026-01-01T00:00:02Z"),
        ({"eventTime": "2026-01-01T00:00:03.000000Z"}, "2026-01-01T00:00:03.000000Z"),
        ({"eventTime": "2026-01-01T00:00:03Z", "series": {"lastObservedTime": "2026-01-01T00:00:09Z"}}, "2026-01-01T00:00:09Z"),
        ({}, ""),
    ],
)
def test_whoever_wrote_an_event_it_has_a_time(fields: dict[str, Any], last: str) -> None:
    assert msgspec.convert(event("e", "u", **fields), Event).last_seen == last
