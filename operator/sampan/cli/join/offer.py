"""The offer's file: one ClusterOffer, with what joining fills in. What must never live here: a server, and what the fields mean."""

from typing import Any, Final

from sampan.cli.lib.errors import CliError
from sampan.cli.lib.objects import REJECTED
from sampan.client import manifests
from sampan.client.access.hub import GROUP, VERSION

KIND: Final = "ClusterOffer"
_HOW: Final = f"give one {GROUP}/{VERSION} {KIND}; docs/providers.md has one to copy"
JOBS: Final = "sampan-jobs"


def read_offer(source: str, namespace: str) -> dict[str, Any]:
    """The ClusterOffer of a file, `-` for stdin, in a namespace of the hub; the Secret's name is <offer>-kubeconfig where none is given."""
    import yaml

    from sampan.client.yaml_text import StrictLoader

    try:
        documents = [each for each in yaml.load_all(manifests.read(source), Loader=StrictLoader) if each is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = " ".join(str(error).split())[:200]
        raise CliError(f"{source}: not valid YAML: {where}", "correct the file and try again", exit_code=REJECTED) from error
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise CliError(f"{source}: {len(documents)} documents, none of them alone an offer", _HOW, exit_code=REJECTED)
    offer = documents[0]
    if (offer.get("apiVersion"), offer.get("kind")) != (f"{GROUP}/{VERSION}", KIND):
        raise CliError(f"{source}: {offer.get('apiVersion')} {offer.get('kind')} is no {GROUP}/{VERSION} {KIND}", _HOW, exit_code=REJECTED)
    metadata, spec = offer.get("metadata"), offer.get("spec")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not isinstance(spec, dict):
        raise CliError(f"{source}: metadata.name or spec is missing", _HOW, exit_code=REJECTED)
    if metadata.get("namespace", namespace) != namespace:
        what = f"{source}: metadata.namespace is {metadata['namespace']}, and -n says {namespace}"
        raise CliError(what, "make them one, or leave metadata.namespace out", exit_code=REJECTED)
    return {**offer, "metadata": {**metadata, "namespace": namespace}, "spec": {**spec, "kubeconfigSecretRef": _secret(offer, source)}}


def place_of(offer: dict[str, Any]) -> str:
    """Where jobs run on the member."""
    return str(offer["spec"].get("remoteNamespace") or JOBS)


def secret_of(offer: dict[str, Any], kubeconfig: str) -> dict[str, Any]:
    """The Secret that the offer names."""
    reference = offer["spec"]["kubeconfigSecretRef"]
    metadata = {"name": reference["name"], "namespace": offer["metadata"]["namespace"]}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "Opaque",
        "stringData": {reference.get("key") or "kubeconfig": kubeconfig},
    }


def _secret(offer: dict[str, Any], source: str) -> dict[str, Any]:
    given = offer["spec"].get("kubeconfigSecretRef") or {}
    if not isinstance(given, dict):
        raise CliError(f"{source}: spec.kubeconfigSecretRef is no mapping", "leave it out, or give {name: NAME}", exit_code=REJECTED)
    if given.get("context"):
        what = f"{source}: spec.kubeconfigSecretRef.context is set, and the kubeconfig that is made has one context"
        raise CliError(what, "leave it out", exit_code=REJECTED)
    return {**given, "name": given.get("name") or f"{offer['metadata']['name']}-kubeconfig"}
