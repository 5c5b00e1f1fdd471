"""Expected trouble of the world → one line for people: what is wrong, what to do next. Never a traceback, never remote text uncleaned.

What must never live here: retries, and handling of errors that are our own bugs (those keep their traceback).
"""

import json
import re
from collections.abc import Sequence

import click

from sampan.kube.text import clean_text

LINE_LIMIT = 1024
"""Bytes of a whole message; a server's own words in it are cut to 512."""

_NOISE = re.compile(r",? *<nil>: Invalid value: null: some validation rules were not checked[^\],]*(, <nil>[^\]]*)?")
"""What an API server adds to every refusal of a manifest."""

_QUERY = "v1alpha1.query.sampan.dev"
"""Name of the APIService by which the hub passes questions on to the operator."""

CATALOGUE = frozenset({"acceleratorclasses", "placementpolicies"})
"""Kinds that people see by the ClusterRole sampan-catalogue-reader."""


class CliError(click.ClickException):
    """What is wrong and what to do next, printed as one line `Error: what; next` on stderr; exit code 1 unless told otherwise.

    `log` are lines of a log that follow it, each cleaned and cut by itself.
    """

    def __init__(self, what: str, next_step: str, *, exit_code: int = 1, log: Sequence[str] = ()) -> None:
        first = clean_text(f"{what}; {next_step}" if next_step else what, LINE_LIMIT)
        super().__init__("\n".join([first, *(f"  {clean_text(line, 512)}" for line in log)]))
        self.exit_code = exit_code  # type: ignore[misc]  # click declares a class variable and reads the instance


def to_cli_error(error: Exception) -> CliError | None:
    """The `Trouble` for an error that the API server, the network, a kubeconfig or a file may cause; None for anything else."""
    import yaml
    from kubernetes.client.exceptions import ApiException
    from kubernetes.config.config_exception import ConfigException
    from urllib3.exceptions import HTTPError

    from sampan.local.paths import LocalError

    if isinstance(error, LocalError):
        what, *log = str(error).splitlines()
        return CliError(what, "", log=log)
    if isinstance(error, ApiException) and not error.status:
        return _explain_transport(error)  # how the official client tells of broken TLS
    if isinstance(error, ApiException):
        return explain_api(error.status or 0, error.body, reason=error.reason)
    if isinstance(error, ConfigException):
        return CliError(f"kubeconfig: {_one_line(error).rstrip('.')}", "give --kubeconfig FILE or --context NAME, or set KUBECONFIG")
    if isinstance(error, HTTPError):
        return _explain_transport(error)
    if isinstance(error, yaml.YAMLError):
        return CliError(f"not valid YAML: {_one_line(error)}", "correct the file and try again")
    if isinstance(error, UnicodeDecodeError):
        return CliError("not a UTF-8 text file", "give a YAML or CSV file")
    if isinstance(error, OSError):
        return CliError(f"{error.filename or 'input/output'}: {error.strerror or _one_line(error)}", "check the path and its permissions")
    return None


def explain_api(status: int, body: str | bytes | None, *, reason: str | None = None) -> CliError:
    """The `Trouble` for an API server's answer; `body` is its Status object, as text."""
    message, resource = _status_words(body)
    said = message or reason or "no reason given"
    if status == 401:
        return CliError("the hub does not accept these credentials (401)", "renew the kubeconfig, or choose another --context")
    if status in (401, 403) and "system:anonymous" in said:
        return CliError(
            f"the hub does not know who asks: {said}", "the context's user has no token, certificate or plugin: renew the kubeconfig"
        )
    if status == 403 and resource == "computejobs" and "at the cluster scope" in said:
        return CliError(f"not allowed: {said}", "name a namespace with -n instead of -A, or ask the platform team for more rights")
    if status == 403:
        return CliError(f"not allowed: {said}", f"ask the platform team for the ClusterRole {_role(resource)}")
    if status == 404 and resource == "namespaces":
        return CliError(f"{said}", "choose another -n NAMESPACE, or create it with kubectl create namespace")
    if status == 404 and "could not find the requested resource" in said:
        return CliError("this cluster serves no sampan.dev/v1alpha1", "install the chart helm/sampan there, or choose another --context")
    if status == 404:
        return CliError(f"not found: {said}", "check the name and the namespace (-n)")
    if status == 409:
        return CliError(f"{said}", "choose another name, or delete the old object first")
    if status in (400, 422) and not resource:  # the operator's own answer to a question
        return CliError(f"refused: {said}", "correct that and try again")
    if status in (400, 422):
        return CliError(
            f"the API server refused the object: {_without_patterns(said)}", "correct the named field and try again", exit_code=1
        )
    if status == 502:  # the operator's word on a member
        return CliError(said, "try again later, or ask its provider")
    if status == 429 or status >= 500:
        return CliError(f"the API server is overloaded or in trouble ({status}): {said}", "try again in a minute")
    return CliError(f"the API server answered {status}: {said}", "look at its logs, or try again")


def explain_query(status: int, body: str | bytes | None) -> CliError | None:
    """The `Trouble` where a question did not reach the operator; None for an answer of the operator's own, and of the hub's rights.

    The hub's aggregator says 503 where the operator behind the API is not there, in words that are no Status object and name nobody.
    """
    if status == 503:
        return CliError(
            f"the operator does not answer questions (503 of the API {_QUERY})",
            f"try again in half a minute; if it lasts, the platform team sees why with `kubectl get apiservice {_QUERY}` "
            "and `kubectl get pods -n NAMESPACE`, that of the operator (sampan-system if no other was chosen)",
        )
    message, _ = _status_words(body)
    if status == 404 and ("could not find the requested resource" in message or message.strip() == "404 page not found"):
        return CliError(
            f"this hub answers no questions: it serves no {_QUERY}",
            "choose another --context, or ask the platform team to register it: value `query` of the chart helm/sampan, docs/questions.md",
        )
    return None


def _role(resource: str) -> str:
    """The ClusterRole of the chart that lets people see or make such objects."""
    if resource == "clusteroffers":
        return "sampan-offer-reader"
    return "sampan-catalogue-reader" if resource in CATALOGUE else "sampan-tenant in this namespace"


def _explain_transport(error: Exception) -> CliError:
    """Refused, timed out, unknown host, broken TLS: told apart by what urllib3 and OpenSSL say."""
    from urllib3.exceptions import ProxyError

    text = _one_line(error)
    if isinstance(error, ProxyError) or isinstance(getattr(error, "reason", None), ProxyError):
        return CliError(
            f"the proxy before the hub does not let us through: {text}", "check proxy-url of the kubeconfig, HTTPS_PROXY and NO_PROXY"
        )
    if "SSL" in text or "SSLError" in type(error).__name__:
        return CliError(f"no trusted TLS connection to the hub: {text}", "take the kubeconfig from that cluster anew, or check --context")
    if "refused" in text:
        return CliError("connection refused by the hub's API server", "start it, or check the server address in the kubeconfig (--context)")
    return CliError(f"the hub cannot be reached: {text}", "check the network and the server address in the kubeconfig (--context)")


def _without_patterns(said: str) -> str:
    """The server's words with what a person may write in place of the pattern of an amount."""
    from sampan.api.fields.quantities import SUCH_AS

    for pattern, example in SUCH_AS.items():
        said = said.replace(f"should match '{pattern}'", f"should be an amount such as {example}")
    return said


def _status_words(body: str | bytes | None) -> tuple[str, str]:
    """(message, resource) of a Status body, cleaned and cut; empty strings where it is none."""
    try:
        status = json.loads(body or "{}")
    except ValueError:
        return clean_text(str(body)), ""
    if not isinstance(status, dict):
        return "", ""
    details = status.get("details")
    resource = details.get("kind", "") if isinstance(details, dict) else ""
    return clean_text(_NOISE.sub("", str(status.get("message", ""))), 512), str(resource)


def _one_line(error: Exception) -> str:
    """The error's words on one clean line, cut."""
    return clean_text(" ".join(str(error).split()))
