"""Every expected trouble: what is wrong, what to do next, on one clean line."""

import ssl

import pytest
import yaml
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProxyError, SSLError

from sampan.cli.lib.errors import CliError, to_cli_error
from sampan.client.errors import explain_query
from sampan.local.paths import LocalError
from unit.cli.fakes import api_error

CASES = {
    "401": (api_error(401), ["credentials", "--context"]),
    "403": (api_error(403, "cannot list computejobs"), ["cannot list computejobs", "sampan-tenant"]),
    "403 everywhere": (api_error(403, "cannot list at the cluster scope", kind="computejobs"), ["-n instead of -A"]),
    "403 offers": (api_error(403, "cannot list clusteroffers", kind="clusteroffers"), ["ClusterRole sampan-offer-reader"]),
    "404 namespace": (api_error(404, 'namespaces "x" not found', kind="namespaces"), ['namespaces "x" not found', "-n NAMESPACE"]),
    "404 kind": (api_error(404, "the server could not find the requested resource"), ["sampan.dev/v1alpha1", "helm/sampan"]),
    "404 object": (api_error(404, "computejobs x not found"), ["not found", "-n"]),
    "409": (api_error(409, "x already exists"), ["already exists", "another name"]),
    "422 question": (api_error(422, "there is no pool x"), ["refused: there is no pool x; correct that"]),
    "422": (api_error(422, "spec.replicas: must be positive"), ["spec.replicas", "correct"]),
    "429": (api_error(429), ["overloaded", "again"]),
    "503": (api_error(503), ["overloaded", "again"]),
    "418": (api_error(418), ["418"]),
    "kubeconfig": (ConfigException("no such context"), ["no such context", "--kubeconfig"]),
    "yaml": (yaml.YAMLError("bad indent"), ["bad indent", "correct"]),
    "file": (FileNotFoundError(2, "No such file or directory", "job.yaml"), ["job.yaml", "No such file"]),
    "not text": (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), ["UTF-8"]),
    "refused": (NewConnectionError(None, "Failed: [Errno 111] Connection refused"), ["refused", "kubeconfig"]),  # type: ignore[arg-type]
    "tls": (SSLError(ssl.SSLError("CERTIFICATE_VERIFY_FAILED")), ["trusted TLS", "kubeconfig"]),
    "tls, told by the client": (ApiException(status=0, reason="SSLError [X509: NO_CERTIFICATE] no certificate"), ["trusted TLS"]),
    "proxy": (ProxyError("Unable to connect", OSError("Connection refused")), ["proxy before the hub", "NO_PROXY"]),
    "proxy, after a try": (MaxRetryError(None, "/", ProxyError("Unable to connect", OSError("x"))), ["proxy before the hub"]),  # type: ignore[arg-type]
    "nobody": (api_error(403, 'User "system:anonymous" cannot list'), ["does not know who asks", "renew the kubeconfig"]),
    "unreachable": (MaxRetryError(None, "/", OSError("no route")), ["cannot be reached", "network"]),  # type: ignore[arg-type]
    "plugin": (ModuleNotFoundError("No module named 'numpy'", name="numpy"), ["needs the Python package numpy", "image or the wheel"]),
    "local": (LocalError("Go is missing: install it"), ["Go is missing"]),
}


@pytest.mark.parametrize(("error", "want"), CASES.values(), ids=CASES.keys())
def test_trouble_says_what_and_what_next(error: Exception, want: list[str]) -> None:
    trouble = to_cli_error(error)
    assert trouble is not None
    for words in want:
        assert words in trouble.message
    assert "\n" not in trouble.message
    assert trouble.exit_code == 1


def test_lines_of_a_log_stay_lines_each_cleaned_and_cut_by_itself() -> None:
    trouble = to_cli_error(LocalError("etcd of hub ended: bind; run it again\n--- etcd.log\nred \x1b[31mtext\n" + "x" * 5000))
    assert trouble is not None
    first, *log = trouble.message.splitlines()
    assert first == "etcd of hub ended: bind; run it again"
    assert log[:2] == ["  --- etcd.log", "  red [31mtext"]
    assert len(log) == 3
    assert len(log[2]) < 600


def test_a_bug_of_ours_is_not_explained_away() -> None:
    assert to_cli_error(KeyError("uid")) is None


def test_remote_text_cannot_drive_the_terminal() -> None:
    trouble = to_cli_error(api_error(403, "no\x1b[2J\u202eevil\nsecond line\u200b"))
    assert trouble is not None
    assert not set("\x1b\u202e\n\u200b") & set(trouble.message)


def test_remote_text_is_cut() -> None:
    trouble = to_cli_error(api_error(422, "x" * 10_000))
    assert trouble is not None
    assert trouble.message.count("x") <= 512


def test_what_a_server_adds_to_every_refusal_is_left_out() -> None:
    noise = "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors"
    said = f'ComputeJob "x" is invalid: [spec.replicas: Invalid value: "a": must be integer, {noise} to complete validation]'
    trouble = to_cli_error(api_error(422, said, kind="ComputeJob"))
    assert trouble is not None
    assert '[spec.replicas: Invalid value: "a": must be integer]; correct the named field' in trouble.message


def test_the_pattern_of_an_amount_is_told_by_what_it_stands_for() -> None:
    pattern = "^[+]?([0-9]{1,9}([.][0-9]{0,6})?|[.][0-9]{1,6})$"
    field = "spec.placement.maxPricePerDeviceHour"
    trouble = to_cli_error(api_error(422, f"{field}: Invalid value: \"\": {field} in body should match '{pattern}'", kind="ComputeJob"))
    assert trouble is not None
    assert f"{field} in body should be an amount such as 250 or 12.50, with at most six decimal places" in trouble.message


@pytest.mark.parametrize("body", ["<html>busy</html>", "[]", '"text"', None, '{"details": 3}'])
def test_a_body_that_is_no_status_is_survived(body: str | None) -> None:
    error = api_error(500)
    error.body = body
    trouble = to_cli_error(error)
    assert trouble is not None
    assert "500" in trouble.message


def test_exit_code_can_be_told() -> None:
    assert CliError("a", "b", exit_code=2).exit_code == 2
    assert CliError("a", "").message == "a"


@pytest.mark.parametrize(
    ("status", "body", "want"),
    [
        (503, "service unavailable\n", "503 of the API v1alpha1.query.sampan.dev"),
        (
            503,
            "error trying to reach service: dial tcp 10.0.0.1:443: refused",
            "get apiservice v1alpha1.query.sampan.dev",
        ),
        (503, None, "kubectl get pods -n NAMESPACE"),
        (404, "404 page not found\n", "serves no v1alpha1.query.sampan.dev; choose"),
        (404, '{"kind": "Status", "message": "the server could not find the requested resource"}', "serves no v1alpha1.query.sampan.dev"),
    ],
    ids=["not available", "no way there", "no words", "not registered", "not registered, as a Status"],
)
def test_a_question_that_did_not_reach_the_operator_tells_how_to_look(status: int, body: str | None, want: str) -> None:
    trouble = explain_query(status, body)
    assert trouble is not None
    assert want in trouble.message
    assert "API server is" not in trouble.message


def test_what_the_operator_answers_is_left_to_the_rest() -> None:
    for error in (api_error(404, "there is no ComputeJob team-a/x"), api_error(429, "slow down"), api_error(500), api_error(403)):
        assert explain_query(error.status, error.body) is None
