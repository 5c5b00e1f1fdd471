"""The process: it ends with a word and a code where it cannot start. Everything else needs API servers: tests/integration."""

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sampan.controller import app


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Put the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    chatty = {name: logging.getLogger(name).level for name in ("kopf", "aiohttp", "asyncio")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in chatty.items():
        logging.getLogger(name).setLevel(before)


def test_time_is_in_milliseconds_since_the_epoch() -> None:
    assert abs(app.now() - time.time() * 1000) < 5_000


@pytest.mark.parametrize(("name", "text"), [("missing", None), ("broken", "exec: [rm, -rf]\ncanary: s3cr3t\n")])
def test_without_a_hub_it_says_so_and_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str | None) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    assert app.main(kubeconfig=file) == 1
    lines = capsys.readouterr().err.splitlines()
    last = json.loads(lines[-1])
    assert (last["event"], last["level"]) == ("operator.failed", "error")
    assert "Traceback" not in "".join(lines)
    assert "s3cr3t" not in "".join(lines)


def test_outside_a_cluster_a_kubeconfig_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(kubeconfig=None) == 1
    assert "kubeconfig" in json.loads(capsys.readouterr().err.splitlines()[-1])["reason"]


def test_what_nobody_foresaw_ends_it_with_a_line_that_holds_no_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: object) -> None:
        raise RuntimeError("s3cr3t")

    monkeypatch.setattr(app, "_run", failing)
    assert app.main(kubeconfig=tmp_path / "any") == 1
    text = capsys.readouterr().err
    last = json.loads(text.splitlines()[-1])
    assert (last["event"], last["error"], last["where"].partition(":")[0]) == ("operator.crashed", "RuntimeError", "test_app.py")
    assert "s3cr3t" not in text
