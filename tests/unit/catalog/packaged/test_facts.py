"""Resource names: what a pattern knows, and which model it tells."""

import pytest

from sampan.catalog import load
from sampan.catalog.packaged.facts import Kind


@pytest.mark.parametrize(
    ("vendor", "name", "want_kind", "want_model"),
    [
        ("nvidia", "nvidia.com/mig-1g.5gb", Kind.PARTITION, None),
        ("nvidia", "nvidia.com/mig-1g.5gb.me", Kind.PARTITION, None),
        ("nvidia", "nvidia.com/mig-1g.5gb.shared", Kind.SHARED, None),
        ("nvidia", "baidu.com/h20_141g_cgpu_memory", Kind.COMPANION, None),
        ("huawei", "huawei.com/Ascend910B3", Kind.VIRTUAL, "910B3"),
        ("huawei", "huawei.com/Ascend910B3-core", Kind.COMPANION, None),
        ("huawei", "huawei.com/Ascend310P", Kind.WHOLE, "310P"),
        ("hygon", "hygon.com/K100_AI_64G_120CU", Kind.WHOLE, "K100_AI"),
        ("hygon", "hygon.com/hcumem", Kind.COMPANION, None),
    ],
)
def test_resource_names(vendor: str, name: str, want_kind: Kind, want_model: str | None) -> None:
    facts = next(known for known in load().vendors if known.name == vendor)
    entry = facts.resource(name)
    assert entry is not None
    assert (entry.kind, entry.product(name)) == (want_kind, want_model)


def test_no_vendor_claims_anothers_names() -> None:
    for facts in load().vendors:
        others = [entry for other in load().vendors if other is not facts for entry in other.resources]
        plain = [entry.pattern.pattern.replace("\\", "") for entry in others]
        assert not [name for name in plain if facts.resource(name)]


def test_products_of_a_vendor_are_told_apart_by_memory_or_name() -> None:
    for facts in load().vendors:
        named = [(product, variant.facts.memory) for variant in facts.variants for product in variant.products]
        assert len(named) == len(set(named))
