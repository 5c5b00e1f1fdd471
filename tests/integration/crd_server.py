"""Raw calls to an API server, as no client makes them: bodies that are no JSON, warnings, field validation. No test lives here."""

import json
from dataclasses import dataclass
from typing import Any

from integration.crd_objects import PLURALS, Json
from integration.support import PATIENCE

GROUP = "/apis/sampan.dev/v1alpha1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server said."""

    status: int
    body: Json
    warnings: tuple[str, ...]

    @property
    def message(self) -> str:
        """Return the server's words."""
        return str(self.body.get("message", ""))


class Server:
    """One API server under the admin's credential of an official client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, method: str, path: str, body: Any = None, *, content_type: str = "application/json") -> Answer:
        """Send a body as it is (bytes) or as JSON, and return the answer whatever it is."""
        headers: dict[str, str] = {"Content-Type": content_type, "Accept": "application/json"}
        self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, None)
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        url = self._client.configuration.host + path
        reply = self._client.rest_client.pool_manager.request(method, url, body=data, headers=headers, timeout=PATIENCE, retries=False)
        try:
            answer = json.loads(reply.data)
        except ValueError:
            answer = {"message": reply.data.decode(errors="replace")}
        return Answer(reply.status, answer, tuple(reply.headers.getlist("Warning")))

    def create(self, obj: Json, *, query: str = "") -> Answer:
        """Create an object."""
        return self.send("POST", f"{collection(obj)}?{query}", obj)

    def replace(self, obj: Json, *, query: str = "", part: str = "") -> Answer:
        """Replace an object, or its status with `part="/status"`, whatever its resourceVersion."""
        current = self.send("GET", path_of(obj)).body
        metadata = {**obj["metadata"], "resourceVersion": current["metadata"]["resourceVersion"]}
        return self.send("PUT", f"{path_of(obj)}{part}?{query}", {**obj, "metadata": metadata})

    def patch(self, obj: Json, change: Json, *, part: str = "") -> Answer:
        """Merge a change into an object or its status."""
        return self.send("PATCH", path_of(obj) + part, change, content_type="application/merge-patch+json")

    def remove(self, obj: Json) -> None:
        """Delete an object if it is there."""
        self.send("DELETE", path_of(obj))


def collection(obj: Json) -> str:
    """Return the URL path of an object's collection."""
    namespace = obj["metadata"].get("namespace")
    return f"{GROUP}/namespaces/{namespace}/{PLURALS[obj['kind']]}" if namespace else f"{GROUP}/{PLURALS[obj['kind']]}"


def path_of(obj: Json) -> str:
    """Return the URL path of an object."""
    return f"{collection(obj)}/{obj['metadata']['name']}"
