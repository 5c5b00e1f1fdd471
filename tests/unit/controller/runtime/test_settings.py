"""Settings come from the environment, and what cannot be meant is refused."""

import re
from ipaddress import ip_network

import pytest
from pydantic import SecretStr, ValidationError

from places import ROOT
from sampan.controller.runtime.settings import Settings


def test_the_defaults_are_safe() -> None:
    settings = Settings()
    assert not settings.allow_loopback_members
    assert settings.provider_namespaces == ()
    assert settings.home_origins == {"CN"}
    assert (settings.metrics_host, settings.metrics_port) == ("127.0.0.1", 8080)
    assert settings.tombstone >= settings.call_timeout, "a copy may not go while a call about it can be in flight"


def test_the_readme_lists_every_setting_with_its_default() -> None:
    readme = (ROOT / "README.md").read_text()
    told = re.findall(r"^\| `SAMPAN_(\w+)` \| (?:`([^`]*)`)? ?\|", readme, flags=re.MULTILINE)
    fields = Settings.model_fields
    assert [(name.lower(), default) for name, default in told] == [(name, _written(field.default)) for name, field in fields.items()]


def _written(default: object) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, frozenset | tuple):
        return ",".join(sorted(default))
    return str(default)


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPAN_PROVIDER_NAMESPACES", "prov-a, prov-b,,prov-c ")
    monkeypatch.setenv("SAMPAN_HOME_ORIGINS", "CN,US")
    monkeypatch.setenv("SAMPAN_ALLOWED_NETWORKS", "fd12:3456::/48, 169.254.7.0/24")
    settings = Settings()
    assert settings.provider_namespaces == ("prov-a", "prov-b", "prov-c")
    assert settings.allowed_networks == (ip_network("fd12:3456::/48"), ip_network("169.254.7.0/24"))
    assert settings.home_origins == {"CN", "US"}


def test_an_empty_list_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPAN_PROVIDER_NAMESPACES", "")
    assert Settings().provider_namespaces == ()


def test_other_variables_are_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPAN_KUBE_ASSETS", "/somewhere")
    monkeypatch.setenv("CURRENCY", "USD")
    assert Settings().currency == "CNY"


@pytest.mark.parametrize(
    ("name", "value"),
    [("CALL_TIMEOUT", "0"), ("RECONCILE_WORKERS", "0"), ("CYCLE_INTERVAL", "-1"), ("TOMBSTONE", "soon"), ("ALLOWED_NETWORKS", "all")],
)
def test_what_cannot_be_meant_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SAMPAN_{name}", value)
    with pytest.raises(ValidationError):
        Settings()


def test_they_do_not_change_under_way() -> None:
    with pytest.raises(ValidationError):
        Settings().currency = "USD"  # type: ignore[misc]


def test_the_metrics_address_may_be_of_ipv6() -> None:
    settings = Settings(metrics_address="[::1]:9090")
    assert (settings.metrics_host, settings.metrics_port) == ("::1", 9090)
