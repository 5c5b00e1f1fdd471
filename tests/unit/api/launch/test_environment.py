"""The container's environment: PyTorch's names, facts that cannot be forged, the tenant's own words."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_specs import ascend, cpu_only, gang, one_gpu, remote_spec, sweep
from sampan.api.launch.environment import environment, literal
from sampan.model.launch import Launch

TORCH = {
    "MASTER_ADDR",
    "MASTER_PORT",
    "WORLD_SIZE",
    "RANK",
    "NODE_RANK",
    "PET_NNODES",
    "PET_NODE_RANK",
    "PET_MASTER_ADDR",
    "PET_MASTER_PORT",
}


def _env(c: Any) -> dict[str, Any]:
    entries = environment(c, c.alternative_spec.env)
    assert len({entry["name"] for entry in entries}) == len(entries), "a variable is given twice"
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in entries}


def test_gang_finds_itself_under_the_names_pytorch_reads() -> None:
    c, env = gang(), _env(gang())
    assert env["MASTER_ADDR"] == env["PET_MASTER_ADDR"] == f"{c.name}-0.{c.service}"
    assert env["MASTER_PORT"] == env["PET_MASTER_PORT"] == "29500"
    assert env["WORLD_SIZE"] == env["PET_NNODES"] == "2"
    assert env["PET_NPROC_PER_NODE"] == "8"
    index = {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-completion-index']"}}
    assert env["RANK"] == env["NODE_RANK"] == env["PET_NODE_RANK"] == index


@pytest.mark.parametrize("c", [cpu_only(), one_gpu(), sweep()], ids=["cpu", "single", "sweep"])
def test_no_rank_outside_a_gang(c: Any) -> None:
    assert not TORCH & set(_env(c))


def test_torchrun_uses_every_device_of_a_single_pod() -> None:
    c = remote_spec({"template": {"image": "a:1"}, "alternatives": [{"accelerator": {"stack": "cuda", "count": 4}}]}, alternative=0)
    assert _env(c)["PET_NPROC_PER_NODE"] == "4"
    assert "PET_NPROC_PER_NODE" not in _env(cpu_only())


def test_attempt_is_told_and_fences() -> None:
    env = _env(one_gpu())
    assert (env["SAMPAN_JOB_NAMESPACE"], env["SAMPAN_JOB_NAME"]) == ("team-a", "eval")
    assert env["SAMPAN_ATTEMPT"] == env["FENCE_TOKEN"] == "2"


def test_tenant_may_replace_launch_variables_but_no_fact() -> None:
    own = [{"name": "MASTER_PORT", "value": "1234"}, {"name": "FENCE_TOKEN", "value": "99"}, {"name": "SAMPAN_ATTEMPT", "value": "99"}]
    env = _env(remote_spec({"replicas": 2, "template": {"image": "a:1", "env": own}}, replicas=2))
    assert env["MASTER_PORT"] == "1234"
    assert env["FENCE_TOKEN"] == env["SAMPAN_ATTEMPT"] == "1"


def test_alternative_merges_by_name() -> None:
    env = _env(ascend())
    assert env["NCCL_DEBUG"] == ""
    assert env["HCCL_CONNECT_TIMEOUT"] == "1200"


def _expand(text: str) -> str:
    """What a kubelet makes of a text when no variable is defined (third_party/forked/golang/expansion)."""
    out, at = "", 0
    while at < len(text):
        if text[at] != "$" or at + 1 == len(text):
            out, at = out + text[at], at + 1
        elif text[at + 1] == "$":
            out, at = out + "$", at + 2
        elif text[at + 1] == "(" and ")" in text[at:]:
            out, at = out + "EXPANDED", text.index(")", at) + 1
        else:
            out, at = out + text[at : at + 2], at + 2
    return out


@given(st.text(alphabet="$()aA_ "))
def test_literal_survives_the_kubelet(text: str) -> None:
    assert _expand(literal(text)) == text


def test_a_recipe_replaces_neither_facts_nor_coordinates_and_gives_way_to_the_tenant() -> None:
    recipe = Launch(
        env=(("FENCE_TOKEN", "9"), ("MASTER_ADDR", "elsewhere"), ("NCCL_DEBUG", "INFO"), ("NCCL_IB_HCA", "$(HOME)")), backend="nccl"
    )
    plain, env = _env(gang()), _env(replace(gang(), launch=recipe))
    assert env == {**plain, "NCCL_IB_HCA": "$$(HOME)", "SAMPAN_BACKEND": "nccl"}
    assert plain["NCCL_DEBUG"] == "WARN"
