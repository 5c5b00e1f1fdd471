"""AcceleratorClass objects become facts in base units, and what tells such devices."""

from sampan.api.convert_class import class_of


def test_a_class_becomes_facts_and_what_tells_it() -> None:
    spec = {
        "vendor": "acme",
        "family": "a1",
        "stack": "acme",
        "origin": "CN",
        "memory": "64Gi",
        "resourceNames": ["acme.com/npu"],
        "unitsPerDevice": 2,
        "countRule": {"allowed": [4, 2], "multipleOf": 2},
        "fp16TFLOPS": "313.5",
        "memoryBandwidthGBps": 1600,
    }
    found = class_of({"metadata": {"name": "acme-a1"}, "spec": spec})
    facts = found.accelerator
    assert (facts.memory, facts.fp16_tflops, facts.memory_bandwidth) == (64 * 2**30, 313_500_000, 1_600_000_000_000)
    assert (facts.units_per_device, facts.count_rule.allowed, found.resource_names) == (2, (2, 4), ("acme.com/npu",))
