"""The offer's file: what is filled in, and what is refused."""

from pathlib import Path

import pytest
import yaml

from sampan.cli.join.offer import place_of, read_offer, secret_of
from sampan.cli.lib.errors import CliError

OFFER = {"apiVersion": "sampan.dev/v1alpha1", "kind": "ClusterOffer", "metadata": {"name": "a"}, "spec": {"region": "cn-east"}}


def written(folder: Path, *documents: object) -> str:
    path = folder / "offer.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return str(path)


def test_the_secret_is_named_after_the_offer(tmp_path: Path) -> None:
    offer = read_offer(written(tmp_path, OFFER), "prov-a")
    assert offer["metadata"] == {"name": "a", "namespace": "prov-a"}
    assert offer["spec"] == {"region": "cn-east", "kubeconfigSecretRef": {"name": "a-kubeconfig"}}
    assert place_of(offer) == "sampan-jobs"
    secret = secret_of(offer, "text")
    assert secret["metadata"] == {"name": "a-kubeconfig", "namespace": "prov-a"}
    assert secret["stringData"] == {"kubeconfig": "text"}


def test_a_secret_and_a_place_of_ones_own_are_kept(tmp_path: Path) -> None:
    spec = {"kubeconfigSecretRef": {"name": "mine", "key": "k"}, "remoteNamespace": "jobs"}
    offer = read_offer(written(tmp_path, {**OFFER, "metadata": {"name": "a", "namespace": "prov-a"}, "spec": spec}), "prov-a")
    assert place_of(offer) == "jobs"
    assert secret_of(offer, "text")["stringData"] == {"k": "text"}
    assert secret_of(offer, "text")["metadata"]["name"] == "mine"


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ((OFFER, OFFER), "2 documents"),
        ((["a"],), "none of them alone an offer"),
        (({**OFFER, "kind": "ComputeJob"},), "is no sampan.dev/v1alpha1 ClusterOffer"),
        (({**OFFER, "metadata": {}},), "metadata.name or spec is missing"),
        (({**OFFER, "spec": None},), "metadata.name or spec is missing"),
        (({**OFFER, "metadata": {"name": "a", "namespace": "other"}},), "metadata.namespace is other, and -n says prov-a"),
        (({**OFFER, "spec": {"kubeconfigSecretRef": "x"}},), "spec.kubeconfigSecretRef is no mapping"),
        (({**OFFER, "spec": {"kubeconfigSecretRef": {"context": "x"}}},), "kubeconfigSecretRef.context is set"),
    ],
)
def test_refuses(tmp_path: Path, documents: tuple[object, ...], words: str) -> None:
    with pytest.raises(CliError, match=words) as caught:
        read_offer(written(tmp_path, *documents), "prov-a")
    assert caught.value.exit_code == 2


def test_what_is_no_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / "offer.yaml").write_text("a: [")
    with pytest.raises(CliError, match="not valid YAML"):
        read_offer(str(tmp_path / "offer.yaml"), "prov-a")
