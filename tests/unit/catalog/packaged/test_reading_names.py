"""Names of the data format: what is read, and that anything malformed is an error."""

import re

import pytest

from sampan.catalog.packaged.facts import Kind
from sampan.catalog.packaged.reading_names import read_drivers, read_fabrics, read_labels, read_registers, read_resource
from sampan.model.members.accelerator import Sharing


def test_a_resource_name_is_a_name_or_a_pattern() -> None:
    plain = read_resource({"name": "a.b/c", "kind": "whole", "publisher": "p"})
    told = read_resource({"pattern": r"a\.b/c-(?P<profile>[0-9]g)\.(?P<gib>[0-9]+)", "kind": "partition", "alias": "x"})
    assert plain.pattern.fullmatch("a.b/c")
    assert not plain.pattern.fullmatch("aXb/c")
    assert [told.group("a.b/c-1g.10", "profile"), told.group("a.b/c-1g.10", "gib"), told.group("z", "gib")] == ["1g", "10", ""]
    assert told.alias == "x"


@pytest.mark.parametrize("entry", [{"kind": "whole"}, {"name": "a/b"}, {"name": "a/b", "kind": "card"}])
def test_a_malformed_resource_is_an_error(entry: dict[str, str]) -> None:
    with pytest.raises((KeyError, ValueError)):
        read_resource(entry)


def test_labels() -> None:
    labels = read_labels(
        {
            "product": ["p"],
            "memory": [{"label": "m", "unit": "MiB"}],
            "modes": [{"label": "mode", "whole": "spx"}],
            "suffixes": [{"pattern": "-SHARED", "sharing": "TimeSliced"}],
            "aliases": {"p=x": ["y"]},
        }
    )
    assert (labels.product, labels.memory, labels.aliases["p=x"]) == (("p",), (("m", 2**20),), ("y",))
    assert labels.modes[0].whole.fullmatch("spx")
    assert labels.suffixes[0].sharing is Sharing.TIME_SLICED


def test_registers_fabrics_and_drivers() -> None:
    (register,) = read_registers([{"resources": "a/b", "annotation": "x", "publisher": "hami"}])
    (fabric,) = read_fabrics([{"kind": "Rack", "key": "k", "pattern": "[0-9]+"}])
    (driver,) = read_drivers([{"name": "d", "type": "t", "kinds": [{"value": "gpu", "kind": "whole", "class": "c"}]}])
    assert (register.handshake, fabric.kind, driver.kinds[0].kind, driver.memory) == ("", "Rack", Kind.WHOLE, "memory")


def test_a_broken_pattern_is_an_error() -> None:
    with pytest.raises(re.error):
        read_fabrics([{"kind": "Rack", "key": "k", "pattern": "["}])
