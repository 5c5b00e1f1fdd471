"""YAML in, ComputeJobs out, or an answer that names file, object and field."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sampan.cli.lib.objects import read_objects
from sampan.client import manifests
from sampan.client.errors import RejectedError

JOB = "apiVersion: sampan.dev/v1alpha1\nkind: ComputeJob\nmetadata: {name: a}\n"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{c}: &{c} [{','.join([f'*{p}'] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (JOB, ["a"]),
        (f"---\n{JOB}---\n{JOB.replace('a}', 'b}')}---\n", ["a", "b"]),
        ('{"kind": "List", "items": [{"apiVersion": "sampan.dev/v1alpha1", "kind": "ComputeJob", "metadata": {"name": "c"}}]}', ["c"]),
        ('{"kind": "ComputeJobList", "apiVersion": "sampan.dev/v1alpha1", "items": [{"metadata": {"name": "d"}}]}', ["d"]),
        ("\ufeff" + JOB.replace("\n", "\r\n"), ["a"]),
        ('{\n\t"apiVersion": "sampan.dev/v1alpha1",\n\t"kind": "ComputeJob",\n\t"metadata": {"name": "e"}\n}', ["e"]),
        (JOB + "spec:\n  a: &x [1, 2]\n  b: *x\n", ["a"]),
    ],
    ids=["one", "a stream", "a List", "the API's list", "BOM and CRLF", "JSON in tabs", "anchors"],
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
        (JOB.replace("metadata", "\tmetadata"), "found a tab character"),
        (JOB + "kind: ComputeJob\n", "key 'kind' is given twice"),
        (JOB + "spec: {env: [{name: A, value: 1, value: 2}]}\n", "key 'value' is given twice"),
        (JOB + "spec: !!binary aGk=\n", "document 1: a YAML tag makes a bytes"),
        (JOB + "spec: !!set {a, b}\n", "document 1: a YAML tag makes a set"),
        (BOMB, "document 1: more than 100000 values"),
        ("&a [*a]", "document 1: more than 100000 values"),
        ("[" * 2_000, "not valid YAML"),
        ('{"kind": "List", "items": []}', "no object found"),
        ('{"kind": "List", "items": [null]}', "object 1: not a mapping"),
        ('{"kind": "List", "items": null}', "None List is not a"),
        ("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", "give what kubectl kustomize prints"),
    ],
)
def test_a_refusal_names_file_object_and_field(text: str, want: str) -> None:
    with pytest.raises(RejectedError) as raised:
        manifests.parse(text, source="x.yaml")
    assert raised.value.message.startswith("x.yaml")
    assert want in raised.value.message
    assert raised.value.exit_code == 2


def test_read_takes_a_file(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB, encoding="utf-8")
    assert manifests.read(str(tmp_path / "job.yaml")) == JOB
    for encoding in ("utf-8-sig", "utf-16"):  # what editors and shells of Windows write
        (tmp_path / "job.yaml").write_text(JOB, encoding=encoding)
        assert manifests.read(str(tmp_path / "job.yaml")) == JOB
    (tmp_path / "job.yaml").write_bytes(b"PK\x03\x04\xff")
    with pytest.raises(RejectedError, match=r"job\.yaml: not a text file in UTF-8"):
        manifests.read(str(tmp_path / "job.yaml"))


@pytest.mark.parametrize("take", [manifests.files, manifests.read, read_objects])
def test_a_url_is_not_read(take: Callable[[str], object]) -> None:
    with pytest.raises(
        RejectedError, match=r"https://example\.com/job\.yaml: URLs are not read; fetch it first, and give the file or - for stdin"
    ):
        take("https://example.com/job.yaml")


def test_a_folder_is_its_manifests_by_name(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "c.json", "notes.md"):
        (tmp_path / name).write_text(JOB, encoding="utf-8")
    (tmp_path / "inner.yaml").mkdir()
    assert manifests.files(str(tmp_path)) == [str(tmp_path / name) for name in ("a.yml", "b.yaml", "c.json")]
    assert manifests.files("-") == ["-"]
    assert manifests.files("x.yaml") == ["x.yaml"]


def test_a_folder_without_manifests_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RejectedError) as raised:
        manifests.files(str(tmp_path))
    assert raised.value.exit_code == 2
