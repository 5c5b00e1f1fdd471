"""The server runs only where an address is set, and not without its files."""

from pathlib import Path

import pytest

import builders as b
from sampan.controller.query.setup import query_server
from sampan.controller.settings import Settings
from unit.controller.query.worlds import StillWorld
from unit.kube.certs import authority, issue

WORLD = StillWorld(b.snapshot())


async def test_without_an_address_nothing_is_served() -> None:
    async with query_server(Settings(), WORLD) as port:
        assert port is None


async def test_with_an_address_and_files_it_serves(tmp_path: Path) -> None:
    own = issue(authority(), name="sampan-query", hosts=["127.0.0.1"])
    for name, text in (("tls.crt", own.cert_pem), ("tls.key", own.key_pem), ("ca.crt", authority("front-proxy-ca").cert_pem)):
        (tmp_path / name).write_text(text)
    async with query_server(Settings(query_address="127.0.0.1:0", query_tls=tmp_path), WORLD) as port:
        assert port


async def test_missing_files_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        async with query_server(Settings(query_address="127.0.0.1:0", query_tls=tmp_path), WORLD):
            pass
