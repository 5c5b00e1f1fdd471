"""A picture that is right again after every fault."""

import asyncio
from dataclasses import replace

import pytest
from aiohttp import web

from sampan.kube.objects.meta import ConfigMap
from sampan.kube.watch.listing import Bounds
from sampan.kube.watch.reflector import Reflector
from unit.kube.certs import authority
from unit.kube.fake_api import FakeApi, Handler, credentials, line, replying, sending, serving, until
from unit.kube.picture import QUICK, names, watching


async def test_lists_then_follows(api: FakeApi) -> None:
    api.put("a")
    async with watching(api) as (reflector, picture, _):
        assert names(picture) == {"a"}
        api.put("b")
        api.drop("a")
        await until(lambda: names(picture) == {"b"})
        assert picture.replaced == 1
        assert reflector.health.last_error == ""
    query = next(path for kind, path, *_ in api.requests if kind == "WATCH")
    for part in ("allowWatchBookmarks=true", "resourceVersion=11", "timeoutSeconds=240"):
        assert part in query


async def test_behind_a_gateway_with_a_path(api: FakeApi) -> None:
    api.prefix = "/k8s/clusters/c-m-1"
    api.put("a")
    async with watching(api) as (_, picture, _):
        api.put("b")
        await until(lambda: names(picture) == {"a", "b"})
        assert picture.replaced == 1
    assert all(path.startswith(api.prefix) for _, path, *_ in api.requests)


async def test_410_with_deletes_in_the_gap(api: FakeApi) -> None:
    api.put("a")
    api.put("b")
    async with watching(api) as (reflector, picture, _):
        await until(lambda: api.count("WATCH") == 1)
        api.fail("WATCH", replying(503, "ServiceUnavailable"))
        await _break_watch(reflector)
        api.objects.pop("a")
        api.version += 10
        api.compact()
        await until(lambda: names(picture) == {"b"})
        assert picture.replaced == 2
        assert picture.events == 0


async def _break_watch(reflector: Reflector[ConfigMap]) -> None:
    """End the open stream as a lost connection would."""
    session = reflector._client._exchange._live()
    for stream in tuple(session._streams):
        stream._receiver.close()


CUT = [
    ("cut at once", sending(cut=True)),
    ("cut inside a line", sending(b'{"type":"ADDED","obj', cut=True)),
    ("ended inside a line", sending(b'{"type":"ADDED","obj')),
    ("error 500 in the watch", sending(line({"type": "ERROR", "object": {"kind": "Status", "code": 500, "reason": "X"}}))),
    ("error that is no status", sending(line({"type": "ERROR", "object": None}))),
    ("410 in the watch", sending(line({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}))),
    ("410 at opening", replying(410, "Expired")),
    ("500 at opening", replying(500, "InternalError")),
    ("429 at opening", replying(429, "TooManyRequests", Retry_After="0")),
    ("redirect", replying(307, "", Location="https://127.0.0.1:1/")),
    ("not JSON", sending(b"<html>\n")),
    ("not an event", sending(b"[1]\n")),
    ("unknown event", sending(line({"type": "NONSENSE", "object": {}}))),
    ("nested", sending(b'{"type":"ADDED","object":' + b"[" * 50_000 + b"\n")),
    ("a 30 MB line", sending(*[b"x" * 1_000_000] * 30)),
    ("empty", sending()),
]


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in CUT])
async def test_a_fault_of_the_watch_loses_nothing(api: FakeApi, fault: Handler) -> None:
    api.put("a")
    api.fail("WATCH", fault, fault)
    async with watching(api) as (reflector, picture, _):
        await until(lambda: api.count("WATCH") >= 3)
        api.put("b")
        await until(lambda: names(picture) == {"a", "b"})
        assert reflector.health.last_error == ""


async def test_faults_of_the_list(api: FakeApi) -> None:
    api.put("a")
    faults = [replying(503, "ServiceUnavailable"), replying(500, "X"), sending(b'{"items":[', cut=True), sending(b"<html>")]
    api.fail("GET", *faults, replying(410, "Expired"))
    async with watching(api) as (reflector, picture, _):
        assert names(picture) == {"a"}
        assert reflector.health.restarts == 5


async def test_an_expired_continue_token_restarts_the_list(api: FakeApi) -> None:
    for index in range(6):
        api.put(f"o{index}")
    body = b'{"metadata":{"resourceVersion":"5","continue":"5:2"},"items":[{"metadata":{"name":"ghost"}}]}'
    api.compact()
    api.fail("GET", sending(body))
    async with watching(api, replace(QUICK, bounds=Bounds(page=2))) as (_, picture, _):
        assert names(picture) == {f"o{index}" for index in range(6)}
        assert picture.replaced == 1


async def test_a_silent_stream_is_left(api: FakeApi) -> None:
    api.put("a")
    api.fail("WATCH", sending(hang=True))
    async with watching(api, replace(QUICK, read_timeout=0.3)) as (reflector, picture, _):
        api.put("b")
        await until(lambda: "b" in picture.objects)
        assert reflector.health.restarts >= 1
        assert picture.replaced == 1


async def test_bookmarks_move_the_point_to_resume_from(api: FakeApi) -> None:
    api.fail("WATCH", sending(line({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "77"}}}), cut=True))
    async with watching(api) as (_, picture, _):
        await until(lambda: api.count("WATCH") >= 2)
        assert "resourceVersion=77" in [path for kind, path, *_ in api.requests if kind == "WATCH"][1]
        assert picture.events == 0


async def test_a_server_that_goes_back_in_time_is_listed_anew(api: FakeApi) -> None:
    api.fail("WATCH", sending(line({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "3"}}}), hang=True))
    async with watching(api) as (reflector, picture, _):
        await until(lambda: picture.replaced == 2)
        assert reflector.health.restarts == 1


async def test_one_unreadable_object_does_not_end_the_watch(api: FakeApi) -> None:
    api.put("bad", data=[1])
    async with watching(api) as (reflector, picture, _):
        api.put("bad", data=7)
        api.put("good")
        await until(lambda: "good" in picture.objects)
        api.drop("bad")
        await until(lambda: len(picture.unreadable) == 3)
        assert picture.unreadable == [("LIST", "bad"), ("MODIFIED", "bad"), ("DELETED", "bad")]
        assert (reflector.health.unreadable, reflector.health.restarts) == (3, 0)


async def test_one_poisoned_object_does_not_end_the_watch(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    async with watching(api) as (reflector, picture, _):
        picture.poison = "bad"
        api.put("bad")
        api.put("good")
        await until(lambda: "good" in picture.objects)
        assert picture.unreadable == [("ADDED", "bad")]
        assert reflector.health.restarts == 0
    assert "could not be taken" in caplog.text


async def test_a_broken_sink_does_not_end_the_reflector(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    async with watching(api) as (reflector, picture, _):
        await until(lambda: api.count("WATCH") == 1)
        picture.on_event = picture.on_unreadable = None  # type: ignore[method-assign, assignment]
        api.put("a")
        await until(lambda: reflector.health.restarts == 1)
        await until(lambda: "a" in picture.objects)
    assert "listing anew" in caplog.text


@pytest.mark.parametrize(("code", "wait"), [(401, 0.3), (403, 0.5)])
async def test_a_refused_credential_makes_no_hot_loop(api: FakeApi, code: int, wait: float) -> None:
    api.fail("WATCH", *[replying(code, "No")] * 3)
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with watching(api) as (reflector, _, _):
        await until(lambda: api.count("WATCH") == 4)
        assert reflector.health.restarts == 3
    assert loop.time() - started >= 3 * wait


async def test_rotation_after_401_is_used_at_once(api: FakeApi) -> None:
    api.put("a")
    async with watching(api, replace(QUICK, unauthorized_wait=600.0)) as (reflector, picture, client):
        await until(lambda: api.count("WATCH") == 1)
        api.tokens = {"new"}
        await _break_watch(reflector)
        await until(lambda: reflector.health.last_error == "Unauthorized")
        api.put("b")
        await client.replace_credentials(credentials(api, token="new"))
        await until(lambda: names(picture) == {"a", "b"})
        assert picture.replaced == 1


async def test_rotation_moves_a_healthy_watch(api: FakeApi) -> None:
    api.tokens = {"good", "new"}
    async with watching(api) as (reflector, picture, client):
        await client.replace_credentials(credentials(api, token="new"))
        await until(lambda: api.count("WATCH") >= 1 and api.requests[-1][2]["Authorization"] == "Bearer new")
        api.put("a")
        await until(lambda: "a" in picture.objects)
        assert (picture.replaced, reflector.health.restarts) == (1, 0)


async def test_another_server_is_listed_from_the_start(api: FakeApi) -> None:
    api.put("a")
    async with serving() as other:
        other.put("z")
        async with watching(api) as (reflector, picture, client):
            await client.replace_credentials(credentials(other))
            await until(lambda: names(picture) == {"z"})
            assert reflector.health.synced.is_set()


async def test_a_stranger_is_not_talked_to(api: FakeApi) -> None:
    async with watching(api) as (reflector, _, client):
        await client.replace_credentials(credentials(api, ca=authority("stranger")))
        await until(lambda: reflector.health.last_error == "TLSError")
        assert not reflector.health.synced.is_set()


async def test_relists_now_and_then(api: FakeApi) -> None:
    api.fail("WATCH", *[sending()] * 3)
    async with watching(api, replace(QUICK, relist_after=0.0)) as (_, picture, _):
        await until(lambda: picture.replaced == 4)


async def test_activity_is_told(api: FakeApi) -> None:
    async with watching(api) as (reflector, _, _):
        await until(lambda: api.count("WATCH") == 1)
        before = reflector.health.last_heard.at
        await asyncio.sleep(0.02)
        api.bookmark()
        await until(lambda: reflector.health.last_heard.at > before)


async def test_a_picture_that_is_not_followed_says_since_when(api: FakeApi) -> None:
    async with watching(api) as (reflector, _, _):
        await until(lambda: api.count("WATCH") == 1)
        assert reflector.health.failing_since is None
        api.fail("WATCH", *[replying(503, "ServiceUnavailable")] * 3)
        await _break_watch(reflector)
        await until(lambda: reflector.health.failing_since is not None)
        first = reflector.health.failing_since
        await until(lambda: reflector.health.restarts == 3)
        assert reflector.health.failing_since == first, "since the first failure, not the last"
        await until(lambda: reflector.health.failing_since is None)


async def test_listing_anew_is_no_fault(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float | None] = []
    gate = asyncio.Event()

    async def expired(request: web.BaseRequest) -> web.StreamResponse:
        await gate.wait()
        return await replying(410, "Expired")(request)

    api.fail("WATCH", expired)
    async with watching(api) as (reflector, picture, _):
        monkeypatch.setattr(picture, "on_replace", lambda *_: seen.append(reflector.health.failing_since))
        gate.set()
        await until(lambda: bool(seen))
        assert seen == [None]


async def test_a_watch_that_opens_and_says_nothing_is_not_followed_until_one_speaks(api: FakeApi) -> None:
    api.fail("WATCH", *[sending(hang=True)] * 3)
    async with watching(api, replace(QUICK, read_timeout=0.1)) as (reflector, _, _):
        await until(lambda: api.count("WATCH") >= 2)
        since = reflector.health.failing_since
        assert since is not None, "the first one never said a word"
        await until(lambda: api.count("WATCH") >= 4)
        assert reflector.health.failing_since == since, "nor did the others; that they opened proves nothing"
        api.put("b")
        await until(lambda: reflector.health.failing_since is None)


async def test_a_quiet_watch_that_ends_as_it_should_is_followed(api: FakeApi) -> None:
    seen: list[tuple[int, float | None]] = []

    async def third(request: web.BaseRequest) -> web.StreamResponse:
        """Look before this one may be silent for too long, as it soon is on a loaded machine."""
        seen.append((reflector.health.restarts, reflector.health.failing_since))
        return await sending(hang=True)(request)

    api.fail("WATCH", sending(hang=True), sending(), third)
    async with watching(api, replace(QUICK, read_timeout=0.1)) as (reflector, _, _):
        await until(lambda: bool(seen))
    assert seen == [(1, None)]
