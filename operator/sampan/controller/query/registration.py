"""The APIService of the query API: by which certificate the hub's API server believes the operator. Never here: a certificate is made."""

import base64
from typing import Any, Final

from sampan.controller.query.documents import GROUP
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import resource_path

_PATH: Final = resource_path("apiregistration.k8s.io/v1", "apiservices", name=f"v1alpha1.{GROUP}")


async def register(client: Client, pem: str) -> bool:
    """Have the API server believe these certificates and no others; tell whether it had to be told. Raises KubeErrors."""
    wanted = base64.b64encode(pem.encode()).decode()
    found = await client.get(_PATH, into=dict[str, Any])
    if found["spec"].get("caBundle") == wanted:
        return False
    change = {"metadata": {"resourceVersion": found["metadata"]["resourceVersion"]}, "spec": {"caBundle": wanted}}
    await client.patch(_PATH, change, into=dict[str, Any])
    return True
