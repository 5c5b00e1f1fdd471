"""The user of a context: what tells who we are, in kubectl's order, and words for what does not."""

from pathlib import Path
from typing import Any

import pytest

from sampan.client.access.identity import check_data, impersonation, user_of
from sampan.client.access.kubeconfig import Context
from sampan.client.errors import ClientError

EXEC = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh"}


def context(**user: Any) -> Context:
    """A context whose user has these keys, with - for _."""
    return Context(name="x", cluster={}, user={key.replace("_", "-"): value for key, value in user.items()}, namespace="")


def test_a_token_loses_its_line_end_and_its_file_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert user_of(context(token="a.b\n")) == {"token": "a.b"}
    assert user_of(Context(name="x", cluster={}, user={"token": "a", "tokenFile": str(file)}, namespace="")) == {"token": "a"}
    file.write_text("new\n", encoding="utf-8")
    assert user_of(Context(name="x", cluster={}, user={"token": "a", "tokenFile": str(file)}, namespace="")) == {"token": "new"}


@pytest.mark.parametrize(
    "first",
    [{"token": "t"}, {"client-certificate": "/c", "client-key": "/k"}, {"username": "u", "password": "p"}],
    ids=lambda first: next(iter(first)),
)
def test_a_plugin_comes_last_and_need_not_be_there_then(first: dict[str, str]) -> None:
    for plugin in (EXEC, {"command": "no-such-plugin"}, {}):
        assert user_of(Context(name="x", cluster={}, user={**first, "exec": plugin}, namespace="")) == first


def test_a_plugin_gets_whole_variables() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": ""}, {"name": "C"}]
    assert user_of(context(exec={**EXEC, "env": env}))["exec"]["env"] == [
        {"name": "A", "value": "1"},
        {"name": "B", "value": ""},
        {"name": "C", "value": ""},
    ]


def test_kubectls_own_oidc_token_is_used() -> None:
    assert user_of(context(auth_provider={"name": "oidc", "config": {"id-token": "e.y.z", "refresh-token": "r"}})) == {"token": "e.y.z"}


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"token": "a b"}, "token of context \"x\" is not one line of plain text"),
        ({"token": "a\nb"}, "not one line"),
        ({"token": 5}, "not one line"),
        ({"tokenFile": "/nowhere/token"}, "tokenFile /nowhere/token of context \"x\" cannot be read"),
        ({"auth-provider": {"name": "gcp"}}, "auth-provider gcp is not supported; log in again with a plugin"),
        ({"exec": {"command": "no-such-plugin", "installHint": "Get it\nat example.com"}},
         "plugin no-such-plugin .* is not found; Get it at example.com"),
        ({"exec": {"command": "no-such-plugin"}}, "is not found; install it"),
        ({"exec": "aws"}, "has no command"),
        ({"client-certificate-data": "***"}, "client-certificate-data of context \"x\" is not base64"),
        ({"client-key-data": 5}, "client-key-data of context"),
    ],
)  # fmt: skip
def test_what_does_not_tell_who_we_are_is_said(user: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        user_of(Context(name="x", cluster={}, user=user, namespace=""))


def test_base64_may_be_in_lines() -> None:
    values = {"client-key-data": "YW\n Jj\n"}
    check_data(values, context())
    assert values == {"client-key-data": "YWJj"}


@pytest.mark.parametrize(
    "user", [{"as-groups": ["a", "b"], "as": "j"}, {"as-user-extra": {"a": ["b"]}, "as": "j"}, {"as-uid": "u"}, {"as-groups": ["a"]}]
)
def test_impersonation_that_cannot_be_sent_is_said(user: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="impersonates"):
        impersonation(Context(name="x", cluster={}, user=user, namespace=""))


def test_nobody_is_impersonated_by_default() -> None:
    assert impersonation(context(token="t")) == {}
