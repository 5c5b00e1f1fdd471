"""YAML in, ComputeJobs out, or an answer that names file, object and field."""

from pathlib import Path

import pytest

from sampan.cli import manifests
from sampan.cli.trouble import Trouble

JOB = "apiVersion: sampan.dev/v1alpha1\nkind: ComputeJob\nmetadata: {name: a}\n"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (JOB, ["a"]),
        (f"---\n{JOB}---\n{JOB.replace('a}', 'b}')}---\n", ["a", "b"]),
        ('{"kind": "List", "items": [{"apiVersion": "sampan.dev/v1alpha1", "kind": "ComputeJob", "metadata": {"name": "c"}}]}', ["c"]),
    ],
    ids=["one", "a stream", "a List"],
)
def test_jobs_are_found(text: str, want: list[str]) -> None:
    assert [job["metadata"]["name"] for job in manifests.parse(text, source="x.yaml")] == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", "no object found"),
        ("a: [", "not valid YAML"),
        ("just words", "object 1: not a mapping"),
        (JOB + "---\napiVersion: v1\nkind: ConfigMap\n", "object 2: v1 ConfigMap is not"),
        (JOB.replace("v1alpha1", "v9"), "sampan.dev/v9 ComputeJob is not"),
        (JOB.replace("name: a", ""), "metadata.name is missing"),
        (JOB.replace("{name: a}", "7"), "metadata.name is missing"),
        ("!!python/object/apply:os.system [id]", "not valid YAML"),
    ],
)
def test_a_refusal_names_file_object_and_field(text: str, want: str) -> None:
    with pytest.raises(Trouble) as raised:
        manifests.parse(text, source="x.yaml")
    assert raised.value.message.startswith("x.yaml")
    assert want in raised.value.message
    assert raised.value.exit_code == 2


def test_read_takes_a_file(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB, encoding="utf-8")
    assert manifests.read(str(tmp_path / "job.yaml")) == JOB


def test_a_folder_is_its_manifests_by_name(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "c.json", "notes.md"):
        (tmp_path / name).write_text(JOB, encoding="utf-8")
    (tmp_path / "inner.yaml").mkdir()
    assert manifests.files(str(tmp_path)) == [str(tmp_path / name) for name in ("a.yml", "b.yaml", "c.json")]
    assert manifests.files("-") == ["-"]
    assert manifests.files("x.yaml") == ["x.yaml"]


def test_a_folder_without_manifests_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Trouble) as raised:
        manifests.files(str(tmp_path))
    assert raised.value.exit_code == 2
