"""`sampan operator run` hands over to the operator and keeps its exit code."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from unit.cli.conftest import Sampan


@pytest.mark.parametrize("code", [0, 3])
def test_run(sampan: Sampan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int) -> None:
    seen: list[Path | None] = []
    app = ModuleType("sampan.controller.app")

    def main(*, kubeconfig: Path | None) -> int:
        seen.append(kubeconfig)
        return code

    app.main = main  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sampan.controller.app", app)
    kubeconfig = tmp_path / "config"
    kubeconfig.touch()
    assert sampan("operator", "run", "--kubeconfig", str(kubeconfig)).exit_code == code
    assert sampan("operator", "run").exit_code == code
    assert seen == [kubeconfig, None]
