"""Amounts as people write them: what a pod spec accepts, ours accepts, and both mean the same by it. On a real API server."""

from typing import Any

import pytest

from integration.crd_objects import GOOD, with_value
from integration.crd_server import GROUP, Server
from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.model.values.quantity import parse_micro, parse_quantity

pytestmark = pytest.mark.integration

TEXTS = (
    *("4", '"4"', "500m", '"500m"', "0.5", '"0.5"', ".5", '".5"', "1.5", "2.0", '"5."', "1e1", '"1e1"', '"1e3"', '"1E3"', '"1e+3"', "1E3"),
    *('"1e-3"', "0", '"0"', '"+4"', "+4", '"04"', "04", "0.0001", '"0.0001"', "1u", "1n", "4k", "4M", "1_000", "0x10", "0o17", "1E", "1e"),
    *("-1", '"-1"', "64Gi", "1.5Gi", "0.5Gi", ".5Gi", "5.Gi", "+1Gi", "01Gi", "1e9", '"1e9"', "128974848", "1500M", "1000000000m", "1.0Gi"),
    *("64G", "64T", "64Ti", "1Pi", "64k", "64Ki", "64K", "64g", "64gi", "64ki", "64GB", "64GiB", "64Gib", "64 Gi", '"1e3Gi"', "4c"),
    *('"4 cores"', "true", '""', '"1.2.3"', '"1,5"', "100m", "1500m", '"1.5"', "[]", "{}", '"Infinity"', "9000000000000000000"),
)
DIFFERENT = {
    '" 4"': "spaces around an amount",
    '"-0"': "signs but +",
    '"1e100"': "exponents of more than two digits",
    '"1234567890123456789012345"': "more than 24 characters",
    '"."': "a point without digits",
    "9223372036854775807": "numbers above 9*10^18 without quotes",
}
"""What a pod spec accepts and ours does not: docs/decisions/0012."""


def pod(cpu: str, memory: str) -> str:
    """A pod in YAML."""
    resources = f"{{requests: {{cpu: {cpu}, memory: {memory}}}}}"
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: amounts}}\nspec: {{containers: [{{name: a, image: a, resources: {resources}}}]}}\n"
    )


def job(cpu: str, memory: str) -> str:
    """A ComputeJob that asks for the same."""
    template = f"{{image: a, resources: {{requests: {{cpu: {cpu}, memory: {memory}}}}}}}"
    return f"apiVersion: sampan.dev/v1alpha1\nkind: ComputeJob\nmetadata: {{name: amounts}}\nspec: {{template: {template}}}\n"


def tried(server: Server, path: str, text: str) -> tuple[dict[str, Any] | None, str]:
    """What the server would store of a YAML text, or None; and its words."""
    answer = server.send("POST", f"{path}?dryRun=All&fieldValidation=Strict", text.encode(), content_type="application/yaml")
    return (answer.body if answer.status == 201 else None), answer.message


PODS = "/api/v1/namespaces/default/pods"
JOBS = f"{GROUP}/namespaces/default/computejobs"


@pytest.fixture
def server(bare_api: Any) -> Server:
    """The API server with our CRDs."""
    return Server(bare_api.client())


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("what", ["cpu", "memory"])
def test_a_job_may_be_written_as_a_pod_may(server: Server, what: str, text: str) -> None:
    cpu, memory = (text, "1Gi") if what == "cpu" else ("1", text)
    canonical, words = tried(server, PODS, pod(cpu, memory))
    ours, refusal = tried(server, JOBS, job(cpu, memory))
    assert (canonical is None) == (ours is None), (words, refusal)
    if ours is None or canonical is None:
        assert f"spec.template.resources.requests.{what}" in refusal
        return
    read = ComputeJobSpec.model_validate(ours["spec"]).template.resources
    assert read is not None
    assert read.requests is not None
    milli = what == "cpu"
    want = canonical["spec"]["containers"][0]["resources"]["requests"][what]
    assert parse_quantity(getattr(read.requests, what), milli=milli) == parse_quantity(want, milli=milli)


@pytest.mark.parametrize("text", DIFFERENT, ids=DIFFERENT.values())
def test_what_differs_from_pods_is_only_what_is_documented(server: Server, text: str) -> None:
    assert tried(server, PODS, pod(text, "1Gi"))[0] is not None
    assert tried(server, JOBS, job(text, "1Gi"))[0] is None


AMOUNTS = [
    ("job", "spec.template.resources.limits.cpu", 0.5),
    ("job", "spec.template.resources.requests.ephemeral-storage", 1e9),
    ("job", "spec.template.shmSize", "1e9"),
    ("job", "spec.template.volumes[1]", {"name": "scratch", "emptyDir": {"sizeLimit": 1e9}}),
    ("job", "spec.alternatives[0].resources", {"requests": {"cpu": 1.5, "memory": ".5Gi"}}),
    ("job", "spec.placement.maxPricePerDeviceHour", 12.5),
    ("shared", "spec.alternatives[0].accelerator.share.memory", 8589934592),
    ("shared", "spec.alternatives[2].accelerator.capability", {"memoryPerDevice": 1e10, "fp16TFLOPS": 250, "fp64TFLOPS": 33.5}),
    ("offer", "spec.prices[0].price", 12.5),
    ("offer", "spec.energy", {"pue": 1.25, "renewableShare": 0.42, "gCO2PerKWh": 410}),
    ("offer", "spec.launch.extraResources", {"rdma/hca": "1"}),
    ("accel", "spec.memory", 34359738368),
    ("accel", "spec.fp16TFLOPS", 989.5),
    ("policy", "spec.references", {"pricePerDeviceHour": 12.5}),
    ("queue", "spec.weight", 2.5),
]


@pytest.mark.parametrize(("kind", "path", "value"), AMOUNTS, ids=[path for _, path, _ in AMOUNTS])
def test_every_amount_of_every_kind_may_be_written_without_quotes(server: Server, kind: str, path: str, value: Any) -> None:
    answer = server.create(with_value(GOOD[kind], path, value), query="dryRun=All&fieldValidation=Strict")
    assert answer.status == 201, answer.message


def test_a_price_without_quotes_is_kept_to_the_last_place(server: Server) -> None:
    for price in (12.5, 0.1, 999999999.999999, 0.000001, 1234567.654321):
        answer = server.create(with_value(GOOD["offer"], "spec.prices[0].price", price), query="dryRun=All")
        assert parse_micro(format(answer.body["spec"]["prices"][0]["price"], ".6f")) == round(price * 1_000_000)
