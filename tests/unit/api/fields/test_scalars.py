"""Scalars: what fits, what does not, and that the operator reads each just as an API server does."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sampan.api.fields import scalars
from sampan.api.fields.scalars import read_timestamp, write_timestamp

GOOD: dict[str, list[Any]] = {
    "Int": [0, -5, 8.0, 2**40],
    "Bool": [True, False],
    "Image": ["busybox", "a/b:1", "registry.example:5000/x/y__z:v1.0@sha256:" + "0" * 64, "x@sha256:" + "f" * 64],
    "DnsLabel": ["a", "a-b", "0", "a" * 63],
    "LabelKey": ["a", "A_b.c", "example.com/tier"],
    "LabelValue": ["", "a", "NVIDIA-H100_80GB"],
    "GrantedValue": ["*", "", "gold"],
    "Country": ["CN", "SG"],
    "CamelCase": ["Bound", "InvalidKubeconfig/ExecNotAllowed"],
    "EnvName": ["_", "A1", "http_proxy"],
    "AbsolutePath": ["/a", "/data/模型"],
    "Argument": ["", "a b", "line\nline\ttab", "中文", "%2e"],
    "DisplayText": ["", "Lingang 临港", "Ünïcode \u2013 ok", "株式会社テスト", "한국"],
    "ResourceName": ["nvidia.com/gpu", "huawei.com/Ascend910", "huawei.com/Ascend*"],
    "Timestamp": ["2026-01-31T08:00:00Z", "2026-01-31T08:00:00.123456Z"],
}
BAD: dict[str, list[Any]] = {
    "Int": ["8", True, 1.5, None, float("nan"), float("inf")],
    "Bool": ["true", 1, 0, None],
    "Image": ["", " ", ":", "/x", "a b", "x:", "x@sha256:12", "UPPER", "http://x", "x\n", "a//b"],
    "DnsLabel": ["", "-a", "a-", "A", "a.b", "a" * 64, "a\n", "\u0430"],
    "LabelKey": ["", "/a", "a/", "a/b/c", "a b", "-a"],
    "LabelValue": ["-", "a b", '"} or up{', "a" * 64, "a\n"],
    "GrantedValue": ["**", "a*"],
    "Country": ["cn", "CHN", "C", ""],
    "CamelCase": ["", "1a", "a b", "a/"],
    "EnvName": ["", "1A", "A-B", "A.B", "A=B"],
    "AbsolutePath": ["a", "/", "/a:b", "/a\x00", ""],
    "Argument": ["\x00", "\x1b[0m", "a\r\n", "\x7f", "x" * 16_385],
    "DisplayText": ["\u202e", "\u200b", "\ufeff", "\u0430cme", "\uff41", "\n", "x" * 257],
    "ResourceName": ["gpu", "nvidia.com/", "a b/c"],
    "Timestamp": [
        "2026-02-30T00:00:00Z",
        "2026-01-01",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00+08:00",
        5,
        None,
        "0001-01-01T00:00:00Z",
    ],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, many in GOOD.items() for v in many])
def test_good_values_are_read(name: str, value: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(getattr(scalars, name))
    assert adapter.validate_python(adapter.validate_python(value)) == adapter.validate_python(value)


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, many in BAD.items() for v in many])
def test_bad_values_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(getattr(scalars, name)).validate_python(value)


def test_a_whole_float_is_the_integer_that_an_api_server_takes_it_for() -> None:
    value = TypeAdapter(scalars.Int).validate_python(8.0)
    assert value == 8
    assert isinstance(value, int)


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 - made aware below
def test_timestamps_round_trip(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert read_timestamp(write_timestamp(aware)) == aware
