"""Generated files: what is committed is what the models say, and a check finds each way to differ."""

from pathlib import Path

import pytest
import yaml

from sampan.api.crd import generate
from sampan.api.crd.generated import ROOT, write
from sampan.api.kinds.table import COMPUTE_JOB


def test_committed_files_are_up_to_date() -> None:
    assert generate.stale(ROOT) == {}, "run `make generate`"


def test_rendering_is_deterministic_and_plain() -> None:
    first, second = generate.render(), generate.render()
    assert first == second
    assert len(first) == 6
    for text in first.values():
        assert text.startswith("# GENERATED")
        assert yaml.safe_load(text)["kind"] == "CustomResourceDefinition"
        assert not any(token.__class__.__name__ in ("AnchorToken", "AliasToken") for token in yaml.scan(text))


def test_write_then_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"], root=tmp_path) == 1
    assert "run `make generate`" in capsys.readouterr().err
    assert not list(tmp_path.iterdir()), "--check writes nothing"
    assert generate.main([], root=tmp_path) == 0
    assert generate.main(["--check"], root=tmp_path) == 0


@pytest.mark.parametrize("folder", generate.FOLDERS)
def test_check_finds_edited_missing_and_left_over_files(tmp_path: Path, folder: str) -> None:
    write(generate.stale(tmp_path))
    edited, missing, left = (tmp_path / folder / n for n in ("sampan.dev_providers.yaml", "sampan.dev_computejobs.yaml", "old.yaml"))
    edited.write_text(edited.read_text() + "\n")
    missing.unlink()
    left.write_text("kind: Gone\n")
    assert set(generate.stale(tmp_path)) == {edited, missing, left}
    write(generate.stale(tmp_path))
    assert generate.stale(tmp_path) == {}
    assert not left.exists()


def test_a_crd_has_status_columns_and_rules() -> None:
    spec = generate.crd(COMPUTE_JOB)["spec"]
    version = spec["versions"][0]
    assert (spec["scope"], spec["names"]["shortNames"], spec["names"]["categories"]) == ("Namespaced", ["cpj"], ["sampan"])
    assert version["subresources"] == {"status": {}}
    assert version["selectableFields"] == [{"jsonPath": ".status.phase"}]
    (rule,) = version["schema"]["openAPIV3Schema"]["x-kubernetes-validations"]
    assert rule["rule"].startswith(generate.UNCHANGED), "a write of status must end here"
