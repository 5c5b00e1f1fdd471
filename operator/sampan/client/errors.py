"""Expected trouble of the world, in one line: which object or field, what is wrong, what to do next. No remote text uncleaned.

What must never live here: retries, exit codes of jobs, and handling of errors that are our own bugs (those keep their traceback).
"""

import contextlib
import json
import re
from collections.abc import Iterator
from typing import ClassVar, Final

from sampan.kube.text import clean_text

LINE_LIMIT: Final = 1024
"""Bytes of a whole message; a server's own words in it are cut to 512."""

_NOISE = re.compile(r",? *<nil>: Invalid value: null: some validation rules were not checked[^\],]*(, <nil>[^\]]*)?")
"""What an API server adds to every refusal of a manifest."""

_QUERY = "v1alpha1.query.sampan.dev"
"""Name of the APIService by which the hub passes questions on to the operator."""

CATALOGUE = frozenset({"acceleratorclasses", "placementpolicies"})
"""Kinds that people see by the ClusterRole sampan-catalogue-reader."""


class ClientError(Exception):
    """What is wrong and what to do next; `str` of it is `what; next_step` on one clean line.

    `exit_code` is what a program ends with that can do nothing about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, next_step: str = "") -> None:
        """Both are cleaned and cut: they may hold others' words."""
        self.message = clean_text(f"{what}; {next_step}" if next_step else what, LINE_LIMIT)
        super().__init__(self.message)


class KubeconfigError(ClientError):
    """A kubeconfig, or what else names the hub, is missing or does not hold what it must."""


class UnreachableError(ClientError):
    """No answer: refused, timed out, unknown host, a proxy that lets nothing through, no trusted TLS."""


class UnavailableError(ClientError):
    """The API server, the operator behind it or a member has too much to do or is away; the same may work later."""


class NotAllowedError(ClientError):
    """The hub does not know these credentials (401), or their rights do not suffice (403)."""


class NotFoundError(ClientError):
    """The object, its namespace or the API itself is not there (404)."""


class ConflictError(ClientError):
    """There is one of that name already (409)."""


class RefusedError(ClientError):
    """The server does not take what it was asked (400, 422)."""


class RejectedError(ClientError):
    """A job that no server would take, or that this one refused to create."""

    exit_code: ClassVar[int] = 2


class NotInTimeError(ClientError):
    """What was waited for did not come in time; the jobs go on."""

    exit_code: ClassVar[int] = 4


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Raise a `ClientError` in place of what the API server, the network or a kubeconfig may cause; anything else passes."""
    try:
        yield
    except Exception as error:
        told = explain(error)
        if told is None or told is error:
            raise
        raise told from error


def explain(error: Exception) -> ClientError | None:
    """The `ClientError` for an error of the official client or below it; None for anything else."""
    from kubernetes.client.exceptions import ApiException
    from kubernetes.config.config_exception import ConfigException
    from urllib3.exceptions import HTTPError

    if isinstance(error, ClientError):
        return error
    if isinstance(error, ApiException) and not error.status:
        return _explain_transport(error)  # how the official client tells of broken TLS
    if isinstance(error, ApiException):
        return explain_api(error.status or 0, error.body, reason=error.reason)
    if isinstance(error, ConfigException):
        told = f"kubeconfig: {_one_line(error).rstrip('.')}"
        return KubeconfigError(told, "give --kubeconfig FILE or --context NAME, or set KUBECONFIG")
    return _explain_transport(error) if isinstance(error, HTTPError) else None


def explain_api(status: int, body: str | bytes | None, *, reason: str | None = None) -> ClientError:
    """The `ClientError` for an API server's answer; `body` is its Status object, as text."""
    message, resource = status_words(body)
    said = message or reason or "no reason given"
    if status == 401:
        return NotAllowedError("the hub does not accept these credentials (401)", "renew the kubeconfig, or choose another --context")
    if status in (401, 403) and "system:anonymous" in said:
        return NotAllowedError(
            f"the hub does not know who asks: {said}", "the context's user has no token, certificate or plugin: renew the kubeconfig"
        )
    if status == 403 and resource == "computejobs" and "at the cluster scope" in said:
        return NotAllowedError(f"not allowed: {said}", "name a namespace with -n instead of -A, or ask the platform team for more rights")
    if status == 403:
        return NotAllowedError(f"not allowed: {said}", f"ask the platform team for the ClusterRole {_role(resource)}")
    if status == 404 and resource == "namespaces":
        return NotFoundError(f"{said}", "choose another -n NAMESPACE, or create it with kubectl create namespace")
    if status == 404 and "could not find the requested resource" in said:
        return NotFoundError(
            "this cluster serves no sampan.dev/v1alpha1", "install the chart helm/sampan there, or choose another --context"
        )
    if status == 404:
        return NotFoundError(f"not found: {said}", "check the name and the namespace (-n)")
    if status == 409:
        return ConflictError(f"{said}", "choose another name, or delete the old object first")
    if status in (400, 422) and not resource:  # the operator's own answer to a question
        return RefusedError(f"refused: {said}", "correct that and try again")
    if status in (400, 422):
        return RefusedError(f"the API server refused the object: {_without_patterns(said)}", "correct the named field and try again")
    if status == 502:  # the operator's word on a member
        return UnavailableError(said, "try again later, or ask its provider")
    if status == 429 or status >= 500:
        return UnavailableError(f"the API server is overloaded or in trouble ({status}): {said}", "try again in a minute")
    return ClientError(f"the API server answered {status}: {said}", "look at its logs, or try again")


def explain_query(status: int, body: str | bytes | None) -> ClientError | None:
    """The `ClientError` where a question did not reach the operator; None for an answer of the operator's own, and of the hub's rights.

    The hub's aggregator says 503 where the operator behind the API is not there, in words that are no Status object and name nobody.
    """
    if status == 503:
        return UnavailableError(
            f"the operator does not answer questions (503 of the API {_QUERY})",
            f"try again in half a minute; if it lasts, the platform team sees why with `kubectl get apiservice {_QUERY}` "
            "and `kubectl get pods -n NAMESPACE`, that of the operator (sampan-system if no other was chosen)",
        )
    message, _ = status_words(body)
    if status == 404 and ("could not find the requested resource" in message or message.strip() == "404 page not found"):
        return NotFoundError(
            f"this hub answers no questions: it serves no {_QUERY}",
            "choose another --context, or ask the platform team to register it: value `query` of the chart helm/sampan, docs/questions.md",
        )
    return None


def _role(resource: str) -> str:
    """The ClusterRole of the chart that lets people see or make such objects."""
    if resource == "clusteroffers":
        return "sampan-offer-reader"
    return "sampan-catalogue-reader" if resource in CATALOGUE else "sampan-tenant in this namespace"


def _explain_transport(error: Exception) -> ClientError:
    """Refused, timed out, unknown host, broken TLS: told apart by what urllib3 and OpenSSL say."""
    from urllib3.exceptions import ProxyError

    text = _one_line(error)
    if isinstance(error, ProxyError) or isinstance(getattr(error, "reason", None), ProxyError):
        return UnreachableError(
            f"the proxy before the hub does not let us through: {text}", "check proxy-url of the kubeconfig, HTTPS_PROXY and NO_PROXY"
        )
    if "SSL" in text or "SSLError" in type(error).__name__:
        return UnreachableError(
            f"no trusted TLS connection to the hub: {text}", "take the kubeconfig from that cluster anew, or check --context"
        )
    if "refused" in text:
        return refused_connection()
    return UnreachableError(f"the hub cannot be reached: {text}", "check the network and the server address in the kubeconfig (--context)")


def refused_connection() -> UnreachableError:
    """Nobody listens where the hub should be."""
    return UnreachableError(
        "connection refused by the hub's API server", "start it, or check the server address in the kubeconfig (--context)"
    )


def _without_patterns(said: str) -> str:
    """The server's words with what a person may write in place of the pattern of an amount."""
    from sampan.api.fields.quantities import SUCH_AS

    for pattern, example in SUCH_AS.items():
        said = said.replace(f"should match '{pattern}'", f"should be an amount such as {example}")
    return said


def status_words(body: str | bytes | None) -> tuple[str, str]:
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
