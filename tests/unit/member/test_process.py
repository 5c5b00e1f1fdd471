"""The publisher's process says in one line why it cannot start."""

from pathlib import Path

import pytest

from sampan.member.process import main
from sampan.member.publisher import PublisherSettings


def test_a_kubeconfig_that_is_none_ends_it_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text("kind: Nothing")
    assert main(kubeconfig=file, settings=PublisherSettings(namespace="sampan-jobs")) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_outside_of_a_cluster_it_asks_for_a_kubeconfig(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert main(kubeconfig=None, settings=PublisherSettings(namespace="sampan-jobs")) == 1
    assert "kubeconfig" in capsys.readouterr().err
