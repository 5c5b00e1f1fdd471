"""Who a person is, by the user of a context: made plain where the official client reads it otherwise than kubectl.

What must never live here: running a plugin, and the client.
"""

import base64
import binascii
import shutil
from pathlib import Path
from typing import Any, Final

from sampan.client.access.kubeconfig import Context, Values
from sampan.client.errors import KubeconfigError
from sampan.kube.text import clean_text

_DATA: Final = ("certificate-authority-data", "client-certificate-data", "client-key-data")
_IMPERSONATION: Final = {"as": "Impersonate-User", "as-uid": "Impersonate-Uid"}
_BEFORE_EXEC: Final = frozenset({"token", "username", "client-certificate", "client-certificate-data"})
_RENEW: Final = "take the kubeconfig from that cluster anew, or choose another --context"


def user_of(context: Context) -> Values:
    """The user, with its token read and its plugin there. Raises `KubeconfigError`."""
    user = dict(context.user)
    provider = user.pop("auth-provider", None)
    if provider:
        user["token"] = _provider_token(provider)
    if "tokenFile" in user:  # kubectl believes it before token
        user["token"] = _token_in(user.pop("tokenFile"), context, otherwise=user.get("token"))
    if "token" in user:
        user["token"] = _token(user["token"], context)
    check_data(user, context)
    if user.keys() & _BEFORE_EXEC:
        user.pop("exec", None)  # kubectl runs a plugin only where nothing else tells who we are
    if "exec" in user:
        user["exec"] = _plugin(user["exec"], context)
    return user


def _plugin(plugin: Any, context: Context) -> Values:
    """A plugin that is there, in the form that the official client runs."""
    if not isinstance(plugin, dict) or not isinstance(plugin.get("command"), str):
        raise KubeconfigError(f'kubeconfig: exec of context "{context.name}" has no command', _RENEW)
    if shutil.which(plugin["command"]) is None:
        hint = clean_text(str(plugin.get("installHint") or ""))
        raise KubeconfigError(f'kubeconfig: plugin {plugin["command"]} of context "{context.name}" is not found', hint or "install it")
    env = [{"name": each.get("name", ""), "value": each.get("value") or ""} for each in plugin.get("env") or [] if isinstance(each, dict)]
    return {**plugin, "env": env}


def _provider_token(provider: Any) -> Any:
    """The token that kubectl's built-in provider keeps; kubectl alone renews it, as it writes the file."""
    settings = provider.get("config") if isinstance(provider, dict) else None
    token = settings.get("id-token") if isinstance(settings, dict) and provider.get("name") == "oidc" else None
    if token:
        return token
    name = provider.get("name") if isinstance(provider, dict) else provider
    raise KubeconfigError(
        f"kubeconfig: auth-provider {name} is not supported", "log in again with a plugin (exec), as kubectl needs it too"
    )


def _token_in(path: Any, context: Context, *, otherwise: Any) -> Any:
    try:
        return Path(str(path)).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        if otherwise:
            return otherwise
        raise KubeconfigError(f'kubeconfig: tokenFile {path} of context "{context.name}" cannot be read', _RENEW) from error


def _token(token: Any, context: Context) -> str:
    text = token.strip() if isinstance(token, str) else ""
    if not (text.isascii() and text.isprintable() and " " not in text and text):
        raise KubeconfigError(f'kubeconfig: token of context "{context.name}" is not one line of plain text', _RENEW)
    return text


def impersonation(context: Context) -> dict[str, str]:
    """The headers for `as` and its kin; the official client has no way to send one header several times."""
    user = context.user
    headers = {header: str(user[key]) for key, header in _IMPERSONATION.items() if key in user}
    named = user.get("as-groups", [])
    groups = named if isinstance(named, list) else [named]
    if len(groups) == 1:
        headers["Impersonate-Group"] = str(groups[0])
    if len(groups) > 1 or "as-user-extra" in user:
        raise KubeconfigError(
            f'kubeconfig: context "{context.name}" impersonates several groups, or more than a user', "ask with kubectl instead"
        )
    if headers and "Impersonate-User" not in headers:
        raise KubeconfigError(f'kubeconfig: context "{context.name}" impersonates a group or UID without a user', "set as as well")
    return headers


def check_data(values: Values, context: Context) -> None:
    """Refuse what is no base64, in words; white space in it does not matter."""
    for key in _DATA:
        if key in values:
            try:
                values[key] = base64.b64encode(base64.b64decode("".join(values[key].split()), validate=True)).decode()
            except (binascii.Error, ValueError, AttributeError) as error:
                raise KubeconfigError(f'kubeconfig: {key} of context "{context.name}" is not base64', _RENEW) from error
