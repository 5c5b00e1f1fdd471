"""Registers of cards: JSON and colon records as they are seen on nodes, zero values, and text that lists nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.catalog.devices.cards import listed, parse_cards
from sampan.catalog.packaged.facts import Register

MIB = 2**20
JSON = (
    '[{"id":"GPU-b","count":10,"devmem":32768,"devcore":100,"type":"NVIDIA-Tesla V100-PCIE-32GB","numa":1,"health":true},'
    '{"id":"GPU-a","index":1,"count":10,"devmem":32768,"devcore":100,"type":"NVIDIA-Tesla V100-PCIE-32GB"}]'
)
SEVEN = "GPU-b,10,32768,100,NVIDIA-Tesla V100-PCIE-32GB,0,true:GPU-a,10,32768,100,NVIDIA-Tesla V100-PCIE-32GB,0,false:"
NINE = "MLU-4,10,23308,0,MLU-MLU370-X4,0,false,0,hami-core:MLU-5,10,23308,0,MLU-MLU370-X4,0,true,1,hami-core:"
VOLCANO = "GPU-1,10,4914,NVIDIA-RTX4090,true,hami-core:GPU-2,10,4914,NVIDIA-RTX4090,true,hami-core:"
REGISTER = Register(resources=re.compile(r"x\.com/(?P<word>[A-Z0-9]+)"), annotation="reg-{word}", handshake="hand-{word}", publisher="hami")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (JSON, [("GPU-b", 10, 32768, 100, True), ("GPU-a", 10, 32768, 100, False)]),
        (SEVEN, [("GPU-b", 10, 32768, 100, True), ("GPU-a", 10, 32768, 100, False)]),
        (NINE, [("MLU-4", 10, 23308, 0, False), ("MLU-5", 10, 23308, 0, True)]),
        (VOLCANO, [("GPU-1", 10, 4914, 100, True), ("GPU-2", 10, 4914, 100, True)]),
        ('[{"id":"GPU-z"}]', [("GPU-z", 0, 0, 0, False)]),
        ("[]", []),
        ("", []),
        ("[" * 100_000, []),
        ('[{"id":"g","devmem":1e999,"health":true}]', []),
        ('[{"id":"g","count":' + "9" * 5000 + "}]", []),
        ('[{"id":7},[],null,{"id":"g","count":-1}]', []),
        ("a,b,c:,,,,,,:1,2,3,4,5,6,7", [("1", 2, 3, 4, False)]),
        ("x" * 300_000, []),
    ],
)
def test_records(text: str, want: list[tuple[str, int, int, int, bool]]) -> None:
    assert [(c["id"], c["count"], c["devmem"], c["devcore"], c["health"]) for c in parse_cards(text)] == want


def test_a_register_is_found_by_the_resource_it_stands_for() -> None:
    told = listed((REGISTER,), "x.com/B3", {"reg-B3": JSON, "reg-B4": NINE, "hand-B3": "Requesting_2026.01.01 00:00:00"})
    assert told is not None
    assert [(card.id, card.memory, card.slots) for card in told.cards] == [("GPU-b", 32768 * MIB, 10)]
    assert (told.unhealthy, told.types, told.stale, told.total) == (1, ("NVIDIA-Tesla V100-PCIE-32GB",), False, 2)


def test_a_deleted_handshake_makes_a_list_stale() -> None:
    told = listed((REGISTER,), "x.com/B3", {"reg-B3": JSON, "hand-B3": "Deleted_2024.09.13 06:42:44"})
    assert told is not None
    assert told.stale


def test_without_its_annotation_a_resource_has_no_list() -> None:
    assert listed((REGISTER,), "x.com/B3", {"reg-B4": JSON}) is None
    assert listed((REGISTER,), "y.com/B3", {"reg-B3": JSON}) is None


@given(st.text(max_size=200) | st.text(alphabet='[]{}":,0123456789idhealthtruecountdevmem', max_size=300))
def test_no_text_does_harm(text: str) -> None:
    for card in parse_cards(text):
        assert card["id"]
        assert int(card["count"]) >= 0
