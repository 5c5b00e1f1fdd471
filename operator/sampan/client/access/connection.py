"""The official client for the hub that the options name: a context of the kubeconfigs, or the cluster we run in.

What must never live here: an import of the client at the top (it costs half a second), and what is asked of the hub.
"""

import ipaddress
import os
import ssl
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sampan.client.access.target import Target
from sampan.client.errors import KubeconfigError

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, Configuration

    from sampan.client.access.kubeconfig import Context, Values

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def configured(target: Target) -> bool:
    """Tell whether any hub is named: by the options, by a kubeconfig, or by the cluster we run in. Nobody is asked."""
    from sampan.client.access.variables import SERVER

    named = target.kubeconfig or target.context or os.environ.get(SERVER) or os.environ.get("KUBECONFIG")
    return bool(named) or (Path.home() / ".kube" / "config").exists() or _inside_a_cluster()


def client_for(target: Target) -> tuple["ApiClient", str]:
    """The official client for the options, and its context's namespace (`default` where it names none). Raises `KubeconfigError`.

    Where the options name no hub, SAMPAN_HUB_SERVER and its kin do before any kubeconfig.
    """
    from sampan.client.access.variables import named

    context = None if target.kubeconfig or target.context else named()
    return client_of(context) if context is not None else client_of_kubeconfig(target)


def client_of(context: "Context") -> tuple["ApiClient", str]:
    """The official client for a context, and its namespace."""
    return _client(context), context.namespace or "default"


def client_of_kubeconfig(target: Target) -> tuple["ApiClient", str]:
    """The same for a kubeconfig or, where there is none at all, for the cluster we run in, whatever variables are set."""
    from sampan.client.access.kubeconfig import load

    files = load(target.kubeconfig)
    context = files.context(target.context)
    if context is not None:
        return client_of(context)
    if target.kubeconfig is not None or not _inside_a_cluster():
        raise files.no_context()
    return client_of_own_cluster()


def _inside_a_cluster() -> bool:
    """Kubernetes' own variables are set and a ServiceAccount's token is mounted, as kubectl looks."""
    named = os.environ.get("KUBERNETES_SERVICE_HOST") and os.environ.get("KUBERNETES_SERVICE_PORT")
    return bool(named) and (SERVICE_ACCOUNT / "token").is_file()


def client_of_own_cluster() -> tuple["ApiClient", str]:
    """The client for the pod's own cluster, and the pod's namespace."""
    from kubernetes import client, config

    configuration = client.Configuration()
    config.load_incluster_config(client_configuration=configuration)
    _proxy(configuration, None)
    file = SERVICE_ACCOUNT / "namespace"
    namespace = os.environ.get("POD_NAMESPACE") or (file.read_text(encoding="utf-8").strip() if file.is_file() else "")
    return _made(configuration), namespace or "default"


def _client(context: "Context") -> "ApiClient":
    """The client for a context: what the official one reads otherwise than kubectl is made plain for it first."""
    from kubernetes import client, config

    from sampan.client.access.identity import impersonation, user_of

    cluster, user = _cluster(context), user_of(context)
    if urlsplit(cluster["server"]).scheme != "https":
        user = {}  # kubectl sends no credentials in the clear either
    configuration = client.Configuration()
    names = {"cluster": "hub", "user": "person"}
    document = {
        "current-context": context.name,
        "contexts": [{"name": context.name, "context": names}],
        "clusters": [{"name": "hub", "cluster": cluster}],
        "users": [{"name": "person", "user": user}],
    }
    # The file is the person's own: its plugins run here as they do for kubectl.
    config.load_kube_config_from_dict(document, client_configuration=configuration)  # noqa: TID251
    if "exec" in user and not (configuration.api_key or configuration.cert_file):
        raise KubeconfigError(
            f"kubeconfig: plugin {user['exec'].get('command')} gave no credentials", "run it by hand to see why, or log in again"
        )
    _proxy(configuration, cluster.get("proxy-url"))
    made = _made(configuration)
    for name, value in impersonation(context).items():
        made.set_default_header(name, value)
    return made


def _made(configuration: "Configuration") -> "ApiClient":
    """A client that tells a refused connection at once, and believes each CA that it was given, as Go's TLS does."""
    import urllib3
    from kubernetes.client import ApiClient

    configuration.retries = False
    scheme = urlsplit(configuration.proxy or "").scheme
    if scheme.startswith("socks") and find_spec("socks") is None:
        raise KubeconfigError(f"proxy {scheme}:// needs the package PySocks", "pip install PySocks, or give a proxy of https:// or http://")
    if not configuration.verify_ssl:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the file says so: no need to say it at each call
    made = ApiClient(configuration)
    made.rest_client.pool_manager.connection_pool_kw["ssl_context"] = tls_context(configuration)
    return made


def tls_context(configuration: "Configuration") -> ssl.SSLContext:
    """An intermediate or a server's own certificate is enough as CA, and an old one need not say all that RFC 5280 asks."""
    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE)
    context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    if configuration.ssl_ca_cert is None:
        context.load_default_certs()
    return context


def _cluster(context: "Context") -> "Values":
    """The cluster, with a whole URL."""
    from sampan.client.access.identity import check_data

    cluster = dict(context.cluster)
    server = cluster.get("server")
    if not isinstance(server, str):
        raise KubeconfigError(
            f'kubeconfig: the cluster of context "{context.name}" has no server', "set it with kubectl config set-cluster"
        )
    if "://" not in server:
        secure = any(key in cluster for key in ("certificate-authority", "certificate-authority-data", "insecure-skip-tls-verify"))
        server = f"{'https' if secure else 'http'}://{server}"
    parts = urlsplit(server)
    cluster["server"] = f"{parts.scheme}://{parts.netloc}{parts.path}"  # the scheme in lower case, neither query nor fragment
    check_data(cluster, context)
    return cluster


def _proxy(configuration: "Configuration", url: str | None) -> None:
    """Go's rules: proxy-url always counts, HTTPS_PROXY not for this machine, ALL_PROXY never."""
    if url is not None:
        configuration.proxy, configuration.no_proxy = url, None
        return
    parts = urlsplit(configuration.host)
    variable = "HTTPS_PROXY" if parts.scheme == "https" else "HTTP_PROXY"
    named = os.environ.get(variable) or os.environ.get(variable.lower())
    proxy = named if named is None or "://" in named else f"http://{named}"
    configuration.proxy = None if _of_this_machine(parts.hostname or "") else proxy
    configuration.no_proxy = os.environ.get("NO_PROXY") or os.environ.get("no_proxy")


def _of_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
