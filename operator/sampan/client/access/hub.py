"""The command line's view of the hub: calls on `sampan.dev/v1alpha1` objects and questions, made with the official Kubernetes client.

What must never live here: an import of the client at the top (it costs half a second), printing, and knowledge of any one verb.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from urllib.parse import quote

from sampan.client.access.events import REQUEST_TIMEOUT, Events, OpenedEvents, stream
from sampan.client.access.sockets import Socket, StreamRequest, check, websocket
from sampan.client.access.target import Target

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

GROUP = "sampan.dev"
QUERY_GROUP = "query.sampan.dev"
VERSION = "v1alpha1"
JOBS = "computejobs"
OFFERS = "clusteroffers"
CLASSES = "acceleratorclasses"

PROTOCOLS: Final = {"exec": "v5.channel.k8s.io", "attach": "v5.channel.k8s.io", "portforward": "v4.channel.k8s.io"}
"""Of the streams of a job, by kind."""
LOG_SILENCE: Final = 300
"""Seconds without a byte after which a stream counts as broken: nothing tells one that is quiet from one whose other end is gone."""
LOG_PIECE: Final = 64 * 1024
"""Bytes that are read at once at most."""

Object = dict[str, Any]
T = TypeVar("T")


class HubApi(Protocol):
    """What the verbs need of a hub. Errors are the official client's `ApiException` and urllib3's `HTTPError`."""

    def list(self, plural: str, namespace: str | None) -> Object:
        """The list object of a kind in a namespace (None: all); its items carry no kind of their own guarantee."""

    def get(self, plural: str, namespace: str, name: str) -> Object:
        """The object of that name."""

    def create(self, plural: str, namespace: str, body: Mapping[str, Any]) -> Object:
        """Create the object with strict field validation and return it as stored."""

    def watch(self, plural: str, namespace: str | None, *, resource_version: str, seconds: int) -> Events:
        """Watch events ({type, object}) after a resourceVersion, for at most so many seconds."""

    def delete(self, plural: str, namespace: str, name: str, *, uid: str) -> None:
        """Ask for the deletion of that very object; 409 where another of its name took its place."""

    def explanation(self, namespace: str, name: str) -> Object:
        """The operator's Explanation of a job."""

    def quote(self, namespace: str, body: Mapping[str, Any]) -> Object:
        """The operator's answer to a Quote; nothing is created."""

    def log(self, namespace: str, name: str, params: Mapping[str, str]) -> Iterator[bytes]:
        """What a job prints, as it comes. Raises `ClientError` for what can be mended by whoever asks."""

    def check_stream(self, wanted: StreamRequest) -> None:
        """Raise `ClientError` where the operator would open no such stream of a job; the member is not asked."""

    def stream(self, wanted: StreamRequest) -> AbstractContextManager[Socket]:
        """Open `exec`, `attach` or `portforward` of a job. Raises `ClientError`."""

    def namespace_missing(self, name: str) -> bool:
        """Tell whether the server says that this namespace does not exist; False where we may not ask."""


class Hub:
    """A hub and the namespace that a verb speaks of: None for all."""

    def __init__(self, api: HubApi, *, namespace: str | None, default_namespace: str) -> None:
        self.api = api
        self.namespace = namespace
        self.default_namespace = default_namespace

    def items(self, plural: str) -> list[Object]:
        """The objects of a kind in the verb's namespace, in the order of namespace and name; unknown namespace: `NotFoundError`."""
        found = self.api.list(plural, self.namespace)["items"]
        if not found and self.namespace and self.api.namespace_missing(self.namespace):
            from sampan.client.errors import NotFoundError

            raise NotFoundError(f"namespace {self.namespace} does not exist", "choose another -n NAMESPACE, or -A for all")
        return sorted(found, key=lambda item: (item["metadata"].get("namespace", ""), item["metadata"]["name"]))


class KubernetesApi:
    """`HubApi` on the official client."""

    def __init__(self, client: "ApiClient") -> None:
        from kubernetes.client import CustomObjectsApi

        self._client = client
        self._custom = CustomObjectsApi(client)

    def list(self, plural: str, namespace: str | None) -> Object:
        """See `HubApi.list`."""
        if namespace is None:
            found = self._custom.list_cluster_custom_object(GROUP, VERSION, plural, _request_timeout=REQUEST_TIMEOUT)
        else:
            found = self._custom.list_namespaced_custom_object(GROUP, VERSION, namespace, plural, _request_timeout=REQUEST_TIMEOUT)
        return dict(found)

    def get(self, plural: str, namespace: str, name: str) -> Object:
        """See `HubApi.get`."""
        return dict(self._custom.get_namespaced_custom_object(GROUP, VERSION, namespace, plural, name, _request_timeout=REQUEST_TIMEOUT))

    def create(self, plural: str, namespace: str, body: Mapping[str, Any]) -> Object:
        """See `HubApi.create`."""
        made = self._custom.create_namespaced_custom_object(
            GROUP, VERSION, namespace, plural, body, field_validation="Strict", _request_timeout=REQUEST_TIMEOUT
        )
        return dict(made)

    def watch(self, plural: str, namespace: str | None, *, resource_version: str, seconds: int) -> Events:
        """See `HubApi.watch`."""
        where = "" if namespace is None else f"namespaces/{quote(namespace, safe='')}/"
        params = {"watch": "true", "resourceVersion": resource_version, "timeoutSeconds": str(seconds)}
        path = f"/apis/{GROUP}/{VERSION}/{where}{plural}"
        return OpenedEvents(partial(stream, self._client, path, params, silence=seconds + 10))

    def delete(self, plural: str, namespace: str, name: str, *, uid: str) -> None:
        """See `HubApi.delete`."""
        only = {"preconditions": {"uid": uid}}
        self._custom.delete_namespaced_custom_object(GROUP, VERSION, namespace, plural, name, body=only, _request_timeout=REQUEST_TIMEOUT)

    def explanation(self, namespace: str, name: str) -> Object:
        """See `HubApi.explanation`."""
        return _asked(self._custom.get_namespaced_custom_object, namespace, "explanations", name)

    def quote(self, namespace: str, body: Mapping[str, Any]) -> Object:
        """See `HubApi.quote`."""
        return _asked(self._custom.create_namespaced_custom_object, namespace, "quotes", body)

    def log(self, namespace: str, name: str, params: Mapping[str, str]) -> Iterator[bytes]:
        """See `HubApi.log`."""
        path = f"/apis/{QUERY_GROUP}/{VERSION}/namespaces/{quote(namespace, safe='')}/computejobs/{quote(name, safe='')}/log"
        with closing(_asked_of_operator(partial(stream, self._client, path, params, silence=LOG_SILENCE))) as answer:
            yield b""  # it is open: how long it is silent says nothing of the hub
            while piece := answer.read1(LOG_PIECE):
                yield piece

    def check_stream(self, wanted: StreamRequest) -> None:
        """See `HubApi.check_stream`. Without an upgrade the operator refuses in any case: only at the end, where nothing else is wrong."""
        check(self._client, _stream_path(wanted), wanted.params)

    def stream(self, wanted: StreamRequest) -> AbstractContextManager[Socket]:
        """See `HubApi.stream`."""
        return websocket(self._client, _stream_path(wanted), wanted.params, protocol=PROTOCOLS[wanted.kind])

    def namespace_missing(self, name: str) -> bool:
        """See `HubApi.namespace_missing`."""
        from kubernetes.client import CoreV1Api  # half a second, for a question that is seldom asked
        from kubernetes.client.exceptions import ApiException

        try:
            CoreV1Api(self._client).read_namespace(name, _request_timeout=REQUEST_TIMEOUT)
        except ApiException as error:
            return bool(error.status == 404)
        return False


def _stream_path(wanted: StreamRequest) -> str:
    namespace, name = quote(wanted.namespace, safe=""), quote(wanted.name, safe="")
    return f"/apis/{QUERY_GROUP}/{VERSION}/namespaces/{namespace}/computejobs/{name}/{wanted.kind}"


def _asked(call: Callable[..., Any], *arguments: Any) -> Object:
    """The operator's answer to a question; `ClientError` where the hub could not pass it on."""
    return dict(_asked_of_operator(partial(call, QUERY_GROUP, VERSION, *arguments, _request_timeout=REQUEST_TIMEOUT)))


def _asked_of_operator(call: Callable[[], T]) -> T:
    """What a call to the operator's API returns; `ClientError` where the hub could not pass it on."""
    from kubernetes.client.exceptions import ApiException

    from sampan.client.errors import explain_query

    try:
        return call()
    except ApiException as error:
        trouble = explain_query(error.status or 0, error.body)
        if trouble is None:
            raise
        raise trouble from error


def connect(target: Target) -> Hub:
    """The hub that the options name: a kubeconfig's context, or the cluster we run in where there is no kubeconfig at all."""
    from sampan.client.access.connection import client_for

    client, default_namespace = client_for(target)
    namespace = None if target.all_namespaces else target.namespace or default_namespace
    return Hub(KubernetesApi(client), namespace=namespace, default_namespace=target.namespace or default_namespace)
