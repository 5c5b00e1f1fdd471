"""The pipelines of examples/ci against the schemas that their systems publish, and against what each needs to cancel its job."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci_examples import FOLDER, Pipeline, document, pipelines

TEKTON = ("github.com/tektoncd/pipeline", "v1.15.0", "h1:ZGboFUaEdpYurZWqeGT5rn9e6qmomGL/gLSKhHp2vvQ=")
ARGO = ("github.com/argoproj/argo-workflows/v3", "v3.7.4", "h1:oA/DxaSsjb6fMYaygf7JVQgnsF+ZzlfUPy5kIfLsCic=")
"""Go modules: path, version, and the checksum of what was looked at when it was chosen."""


@pytest.mark.parametrize(("schema", "file"), [("github-workflows", "github-actions/train.yml"), ("gitlab-ci", "gitlab/gitlab-ci.yml")])
def test_github_and_gitlab_take_their_files(schema: str, file: str, tmp_path: Path) -> None:
    """check-jsonschema brings the schemas of SchemaStore and GitLab with it; that a broken file is refused shows that it looks."""
    tool = shutil.which("check-jsonschema", path=os.fspath(Path(sys.executable).parent))
    assert tool is not None, "check-jsonschema is missing: make venv"
    broken = tmp_path / "broken.yml"
    broken.write_text((FOLDER / file).read_text(encoding="utf-8").replace("timeout", "timeoutt"), encoding="utf-8")
    done = [
        subprocess.run([tool, "--builtin-schema", f"vendor.{schema}", str(each)], capture_output=True, text=True, check=False)
        for each in (FOLDER / file, broken)
    ]
    assert [each.returncode for each in done] == [0, 1], [each.stdout + each.stderr for each in done]


def published(module: tuple[str, str, str], file: str, folder: Path) -> Any:
    """A schema that is too large for this repository, from its project's Go module, which Go fetches once."""
    path, version, checksum = module
    go = shutil.which("go")
    if go is None:
        pytest.skip(f"go is missing, which fetches {path}")
    fetching, env = [go, "mod", "download", "-json", f"{path}@{version}"], {**os.environ, "GOFLAGS": "", "GOWORK": "off"}
    try:
        done = subprocess.run(fetching, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{path} {version} cannot be fetched within five minutes")
    found = json.loads(done.stdout or "{}")
    if done.returncode or "Dir" not in found:
        pytest.skip(f"{path} {version} cannot be fetched: {found.get('Error') or done.stderr}")
    assert found["Sum"] == checksum, f"{path} {version} is not what it was"
    return yaml.safe_load((Path(found["Dir"]) / file).read_text(encoding="utf-8"))


def strict(schema: Any) -> Any:
    """A schema whose objects have no other fields than those it names: as an API server prunes, and `kubectl --validate=strict` refuses."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
        open_ended = schema.get("x-kubernetes-preserve-unknown-fields")
        found["additionalProperties"] = bool(open_ended)
    return found


def errors(schema: Any, instance: Any) -> list[str]:
    """What a validator has to say."""
    jsonschema = pytest.importorskip("jsonschema")
    found = jsonschema.Draft7Validator(schema).iter_errors(instance)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


def test_argo_takes_its_file(tmp_path: Path) -> None:
    whole = strict(published(ARGO, "api/jsonschema/schema.json", tmp_path))
    schema = {**whole, "oneOf": [{"$ref": "#/definitions/io.argoproj.workflow.v1alpha1.WorkflowTemplate"}]}
    found = document("argo/train.yaml")
    assert errors(schema, found) == []
    found["spec"]["onexit"] = found["spec"].pop("onExit")
    assert errors(schema, found) != []


def test_tekton_takes_its_file(tmp_path: Path) -> None:
    crd = published(TEKTON, "config/300-crds/300-pipeline.yaml", tmp_path)
    (version,) = [each for each in crd["spec"]["versions"] if each["name"] == "v1"]
    schema = strict(version["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    found = document("tekton/train.yaml")
    assert errors(schema, found) == []
    found["spec"]["finaly"] = found["spec"].pop("finally")
    assert errors(schema, found) != []


LOADER = """
class Block {
  List calls = []
  private static run(Closure body) {
    def block = new Block(); body.delegate = block; body.resolveStrategy = Closure.DELEGATE_ONLY; body.call(); block.calls
  }
  def methodMissing(String name, args) {
    def last = args ? args[-1] : null
    def given = (last instanceof Closure ? args[0..<-1] : args as List).collect { it as String }
    calls << [name: name, given: given, body: last instanceof Closure ? run(last) : null]
    "<$name>"
  }
  def propertyMissing(String name) { name == 'env' ? [:].withDefault { "\\${env.$it}" } : "<$name>" }
  def propertyMissing(String name, value) { calls << [name: name, given: [value as String], body: null] }
}
def script = new GroovyShell(this.class.classLoader, new Binding(), new org.codehaus.groovy.control.CompilerConfiguration(
  scriptBaseClass: groovy.util.DelegatingScript.name)).parse(new File(args[0]))
def top = new Block(); script.setDelegate(top); script.run()
println groovy.json.JsonOutput.toJson(top.calls)
"""


def test_jenkins_file_is_groovy_and_has_the_parts_of_a_declarative_pipeline(tmp_path: Path) -> None:
    """Jenkins publishes no schema, and its own validator is a running Jenkins: so Groovy reads the file, and its parts are looked at."""
    groovy, java = shutil.which("groovy"), shutil.which("java")
    if groovy is None or java is None:
        pytest.skip("groovy is missing: apt-get install groovy")
    home = {**os.environ, "JAVA_HOME": os.fspath(Path(java).resolve().parents[1])}
    loader = tmp_path / "load.groovy"
    loader.write_text(LOADER, encoding="utf-8")
    reading = [groovy, str(loader), str(FOLDER / "jenkins" / "Jenkinsfile")]
    done = subprocess.run(reading, capture_output=True, text=True, check=False, env=home)
    assert done.returncode == 0, done.stdout + done.stderr
    (top,) = json.loads(done.stdout)
    assert top["name"] == "pipeline"
    sections = {each["name"]: each["body"] for each in top["body"]}
    assert list(sections) == ["agent", "options", "environment", "stages", "post"]
    (stage,) = sections["stages"]
    assert (stage["name"], [each["name"] for each in stage["body"]]) == ("stage", ["steps"])
    (after,) = sections["post"]
    assert after["name"] == "unsuccessful"
    by_text = next(each for each in pipelines("7") if each.system == "jenkins")
    assert [stage["body"][0]["body"][0]["given"], after["body"][0]["given"]] == [[by_text.submit], [by_text.after]]


@pytest.mark.parametrize("pipeline", pipelines("7"), ids=lambda each: each.system)
def test_every_pipeline_names_its_job_and_cancels_it(pipeline: Pipeline) -> None:
    assert " --wait --logs --cancel-on-interrupt" in pipeline.submit
    assert "sampan cancel --unfinished --no-wait" in pipeline.after
    assert pipeline.to_all or pipeline.submit.splitlines()[0].startswith("exec ") or "\nexec " in pipeline.submit
    assert pipeline.job.startswith("train-7")


def test_what_an_abort_needs_runs_after_every_end() -> None:
    """The steps that cancel are not left out where the pipeline was aborted: that is what their systems' words for it say."""
    steps = document("github-actions/train.yml")["jobs"]["train"]["steps"]
    assert steps[-1]["if"] == "${{ !success() }}"
    assert "after_script" in document("gitlab/gitlab-ci.yml")["train"]
    assert document("argo/train.yaml")["spec"]["onExit"] == "cancel"
    assert [task["name"] for task in document("tekton/train.yaml")["spec"]["finally"]] == ["cancel"]
