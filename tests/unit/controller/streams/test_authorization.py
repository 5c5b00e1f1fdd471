"""The hub is asked for `create` in the name of whoever asks, with all that it told of them."""

import json

import pytest
from multidict import CIMultiDict

from sampan.controller.streams.authorization import HubAuthorizer, Person, person
from sampan.controller.streams.options import StreamKind
from sampan.controller.streams.refusal import StreamRefusedError
from sampan.kube.transport.client import Client
from unit.kube.fake_api import FakeApi, answering, credentials, replying, serving

HEADERS = [
    ("X-Remote-User", "alice"),
    ("X-Remote-Group", "team-a"),
    ("X-Remote-Group", "system:authenticated"),
    ("X-Remote-Uid", "made-up"),
    ("X-Remote-Extra-Authentication.kubernetes.io%2fcredential-Id", "JTI=1"),
    ("X-Remote-Extra-Scopes", "a"),
    ("X-Remote-Extra-Scopes", "b"),
]
ALICE = Person(
    user="alice",
    groups=("team-a", "system:authenticated"),
    extra=(("authentication.kubernetes.io/credential-id", ("JTI=1",)), ("scopes", ("a", "b"))),
)


def test_a_person_is_read_from_the_front_proxy_s_headers() -> None:
    assert person(CIMultiDict(HEADERS)) == ALICE


async def asked(api: FakeApi) -> None:
    """Ask whether alice may open a shell."""
    async with Client(credentials(api)) as client:
        await HubAuthorizer(client).check(ALICE, StreamKind.EXEC, namespace="team-a", job="train")


@pytest.mark.parametrize(
    ("status", "code"),
    [({"allowed": True}, None), ({"allowed": False}, 403), ({"allowed": True, "denied": True}, 403), ({}, 403)],
)
async def test_only_a_plain_yes_lets_in(status: dict[str, bool], code: int | None) -> None:
    async with serving() as api:
        api.fail("POST", answering({"kind": "SubjectAccessReview", "status": status}))
        if code is None:
            await asked(api)
        else:
            with pytest.raises(StreamRefusedError, match=r'user "alice" lacks create on computejobs/exec of query.sampan.dev in namespace'):
                await asked(api)
        (_, path, _, body) = api.requests[-1]
    spec = json.loads(body)["spec"]
    assert path == "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    assert spec["resourceAttributes"] == {
        "group": "query.sampan.dev",
        "resource": "computejobs",
        "subresource": "exec",
        "verb": "create",
        "namespace": "team-a",
        "name": "train",
    }
    assert (spec["user"], spec["groups"], spec["extra"]["scopes"]) == ("alice", ["team-a", "system:authenticated"], ["a", "b"])
    assert "uid" not in spec


@pytest.mark.parametrize("code", [403, 500])
async def test_where_the_hub_does_not_say_nobody_may(code: int) -> None:
    async with serving() as api:
        api.fail("POST", replying(code, "Broken"))
        with pytest.raises(StreamRefusedError) as refused:
            await asked(api)
    assert refused.value.code == 503
