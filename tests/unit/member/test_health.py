"""The publisher's health is asked over HTTP, and only where it is wanted."""

import aiohttp
import pytest

from sampan.member.health import address_of, health


async def test_it_says_whether_it_turns() -> None:
    turning = [True]
    async with health(("127.0.0.1", 0), lambda: turning[0]) as port, aiohttp.ClientSession() as session:
        for turning[0], code in ((True, 200), (False, 500)):
            async with session.get(f"http://127.0.0.1:{port}/healthz") as answer:
                assert answer.status == code


async def test_without_an_address_nothing_is_served() -> None:
    async with health(None, lambda: True) as port:
        assert port is None


@pytest.mark.parametrize(("text", "want"), [("", None), ("127.0.0.1:8081", ("127.0.0.1", 8081)), ("[::1]:1", ("::1", 1))])
def test_an_address_is_read(text: str, want: tuple[str, int] | None) -> None:
    assert address_of(text) == want


@pytest.mark.parametrize("text", ["8081", ":8081", "host:", "host:99999", "host:x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no HOST:PORT"):
        address_of(text)
