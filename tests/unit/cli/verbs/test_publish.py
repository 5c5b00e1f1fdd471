"""`sampan publish` checks what it is given before it starts anything."""

import pytest
from click.testing import CliRunner

from sampan.cli.verbs.publish import publish


@pytest.mark.parametrize("interval", ["0", "301", "often"])
def test_an_interval_that_no_hub_believes_is_refused(interval: str) -> None:
    done = CliRunner().invoke(publish, ["--interval", interval])
    assert done.exit_code == 2
    assert "--interval" in done.output


def test_without_a_cluster_it_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    done = CliRunner().invoke(publish, [])
    assert done.exit_code == 1
    assert "kubeconfig" in done.output
