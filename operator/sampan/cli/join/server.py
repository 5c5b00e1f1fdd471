"""One API server as joining needs it: get, create, replace, apply, with errors in words that say whose server it is.

What must never live here: an import of the client at the top (it costs half a second), and what is made on it.
"""

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from sampan.cli.join.objects import MANAGER, Object
from sampan.cli.lib.errors import CliError
from sampan.client.errors import explain
from sampan.kube.text import clean_text

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

TIMEOUT: Final = (5, 30)
"""Seconds to connect, and between two bytes of an answer."""
_CLUSTER_WIDE: Final = frozenset({
    "Namespace", "ClusterRole", "ClusterRoleBinding", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
})  # fmt: skip


class Refused(Exception):  # noqa: N818
    """An answer that is not 2xx: its code, and the server's words, cleaned."""

    def __init__(self, status: int, message: str) -> None:
        """Keep both."""
        self.status, self.message = status, message
        super().__init__(f"{status}: {message}")


class Server:
    """`name` is what people call it: the hub, the member; `rights` who can do something about a 403."""

    def __init__(self, client: "ApiClient", *, name: str, rights: str) -> None:
        self._client = client
        self.name, self._rights = name, rights

    def get(self, path: str) -> Object | None:
        """The object, None where it is not there."""
        try:
            return self._call("GET", path)
        except Refused as error:
            if error.status == 404:
                return None
            raise self._told(error, f"GET {path}") from error

    def create(self, path: str, body: Object, *, what: str) -> Object:
        """Create in a collection, or ask a subresource."""
        try:
            return self._call("POST", path, body)
        except Refused as error:
            raise self._told(error, what) from error

    def create_or_replace(self, path: str, body: Object, *, what: str) -> None:
        """Have an object be this, whatever it was, without ever reading it: whoever may only write it can do that."""
        try:
            try:
                self._call("POST", path, body)
            except Refused as error:
                if error.status != 409:
                    raise
                self._call("PUT", f"{path}/{quote(body['metadata']['name'], safe='')}", body)
        except Refused as error:
            raise self._told(error, what) from error

    def apply(self, body: Object, *, optional: bool = False) -> bool:
        """Have an object say what we say; False where the server knows no such kind and it is `optional`."""
        query = urlencode({"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"})
        try:
            self._call("PATCH", f"{path_of(body)}?{query}", body, content_type="application/apply-patch+yaml")
        except Refused as error:
            if optional and error.status == 404:
                return False
            raise self._told(error, _what(body)) from error
        return True

    def _call(self, method: str, path: str, body: Object | None = None, *, content_type: str = "application/json") -> Object:
        """The decoded answer; `Refused` for what is not 2xx, `CliError` where there is none."""
        from urllib3.exceptions import HTTPError

        headers = {"Accept": "application/json"} | ({"Content-Type": content_type} if body is not None else {})
        asked = self._client.param_serialize(method, path, header_params=headers, auth_settings=["BearerToken"])
        url, sent = asked[1], asked[2]
        try:
            answer = self._client.rest_client.pool_manager.request(
                method, url, headers=sent, body=None if body is None else json.dumps(body).encode(), timeout=_timeout(), retries=False
            )
        except HTTPError as error:
            told = explain(error)
            raise CliError(f"{self.name}: {told.message if told else type(error).__name__}", "") from error
        decoded = _decoded(answer.data)
        if not 200 <= answer.status < 300:
            raise Refused(answer.status, clean_text(str(decoded.get("message") or answer.reason or ""), 512))
        return decoded

    def _told(self, error: Refused, what: str) -> CliError:
        """What is wrong and who can mend it."""
        if error.status == 401:
            return CliError(f"{self.name} does not accept these credentials (401)", "renew the kubeconfig, or choose another context")
        if error.status == 403:
            return CliError(f"{self.name} does not allow it: {error.message}", self._rights)
        return CliError(f"{self.name} refused {what} ({error.status}): {error.message}", "correct that and join again")


def path_of(body: Object) -> str:
    """The URL path of an object."""
    kind, metadata = body["kind"], body["metadata"]
    group, name = body["apiVersion"], quote(metadata["name"], safe="")
    plural = f"{kind[:-1].lower()}ies" if kind.endswith("y") else f"{kind.lower()}s"
    root = f"/api/{group}" if "/" not in group else f"/apis/{group}"
    within = "" if kind in _CLUSTER_WIDE else f"/namespaces/{quote(metadata['namespace'], safe='')}"
    return f"{root}{within}/{plural}/{name}"


def _what(body: Object) -> str:
    place = f"{body['metadata']['namespace']}/" if "namespace" in body["metadata"] else ""
    return f"{body['kind']} {place}{body['metadata']['name']}"


def _timeout() -> Any:
    from urllib3 import Timeout

    return Timeout(connect=TIMEOUT[0], read=TIMEOUT[1])


def _decoded(data: bytes) -> Object:
    try:
        decoded = json.loads(data)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}
