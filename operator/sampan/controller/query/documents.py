"""What the API says of itself and of errors: discovery, OpenAPI, Status objects, as plain dictionaries. Never here: answers, HTTP."""

from typing import Any, Final

GROUP: Final = "query.sampan.dev"
VERSION: Final = "v1alpha1"
API: Final = f"{GROUP}/{VERSION}"
_REASONS: Final = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    413: "RequestEntityTooLarge",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    501: "NotImplemented",
    502: "BadGateway",
    503: "ServiceUnavailable",
}
"""metav1.StatusReason by code."""

Document = dict[str, Any]


def group() -> Document:
    """Return the APIGroup."""
    version = {"groupVersion": API, "version": VERSION}
    return {"kind": "APIGroup", "apiVersion": "v1", "name": GROUP, "versions": [version], "preferredVersion": version}


def group_list() -> Document:
    """Return the APIGroupList of `/apis`."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [{k: v for k, v in group().items() if k not in ("kind", "apiVersion")}]}


def resource_list() -> Document:
    """Return the APIResourceList of the version."""
    listed = (
        ("computejobs/attach", "", "PodAttachOptions", "get create"),
        ("computejobs/exec", "", "PodExecOptions", "get create"),
        ("computejobs/log", "", "ComputeJob", "get"),
        ("computejobs/portforward", "", "PodPortForwardOptions", "get create"),
        ("explanations", "explanation", "Explanation", "get"),
        ("pools", "pool", "PoolAnswer", "list"),
        ("quotes", "quote", "Quote", "create"),
    )
    resources = [
        {"name": name, "singularName": one, "namespaced": True, "kind": kind, "verbs": verbs.split()} for name, one, kind, verbs in listed
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": API, "resources": resources}


def openapi_v2() -> Document:
    """Return a valid document without schemas: nothing here is applied, so nobody validates by it."""
    return {"swagger": "2.0", "info": {"title": GROUP, "version": VERSION}, "paths": {}, "definitions": {}}


def openapi_v3() -> Document:
    """Return the list of OpenAPI v3 documents: none."""
    return {"paths": {}}


def failure(code: int, message: str) -> Document:
    """Return a Status that tells of a failure."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": _REASONS.get(code, ""),
        "code": code,
    }
