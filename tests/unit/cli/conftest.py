"""The verbs under test talk to a hub in memory."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from sampan.cli.main import cli
from sampan.client.access import hub as hub_module
from sampan.client.access.hub import Hub
from sampan.client.access.target import Target
from unit.cli.fakes import FakeApi

Sampan = Callable[..., Result]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """The hub that `hub.connect` finds, with the context's namespace `team-a`."""
    fake = FakeApi()

    def connect(target: Target) -> Hub:
        default = target.namespace or "team-a"
        return Hub(fake, namespace=None if target.all_namespaces else default, default_namespace=default)

    monkeypatch.setattr(hub_module, "connect", connect)
    return fake


@pytest.fixture
def sampan() -> Sampan:
    """Runs `sampan` with arguments and returns click's result: exit_code, stdout, stderr."""

    def run(*arguments: str, text: str | None = None) -> Result:
        return CliRunner().invoke(cli, list(arguments), input=text, prog_name="sampan")

    return run
