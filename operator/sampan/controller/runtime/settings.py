"""Settings of the operator, from the environment (`SAMPAN_…`). Read once at the start; nothing else reads the environment."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, IPvAnyNetwork, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_PROXY = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")


class Settings(BaseSettings):
    """What the hub's platform team decides about the operator. Times are in seconds."""

    model_config = SettingsConfigDict(env_prefix="SAMPAN_", frozen=True, extra="ignore")

    namespace: str = "sampan-system"
    """The operator's own namespace: identity and later its Lease."""
    provider_namespaces: Annotated[tuple[str, ...], NoDecode] = ()
    """Namespaces whose kubeconfig Secrets the operator may read; comma-separated in the environment."""
    allow_loopback_members: bool = False
    """Members at 127.0.0.1: only for a federation on one machine."""
    allowed_networks: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = ()
    """Networks of members that are refused otherwise; the narrowest that holds an address decides; comma-separated in the environment."""
    denied_networks: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = ()
    """Networks where no member may be, beside the hub's services and what no server is at; comma-separated in the environment."""
    allowed_proxies: Annotated[frozenset[str], NoDecode] = frozenset()
    """host:port of each HTTP proxy that the proxy-url of a member's kubeconfig may name; comma-separated in the environment."""
    metrics_address: str = "127.0.0.1:8080"
    home_origins: Annotated[frozenset[str], NoDecode] = frozenset({"CN"})
    """Origins that count as domestic; comma-separated in the environment."""
    currency: str = "CNY"
    log_level: str = "INFO"
    events: bool = True
    """Whether Kubernetes Events are written on jobs and offers: at most three for a job that is bound, starts and completes."""

    call_timeout: float = Field(default=10, gt=0)
    """Deadline of one call to an API server."""
    hub_qps: float = Field(default=500, gt=0)
    """Calls per second to the hub at most."""
    member_qps: float = Field(default=200, gt=0)
    """Calls per second to each member at most."""
    store: SecretStr = SecretStr("")
    """SQLAlchemy URL of the database that keeps what queues used; empty: in memory, forgotten at the end."""
    usage_half_life: float = Field(default=7 * 24 * 3600, ge=24 * 3600)
    """Time after which use counts half."""
    tombstone: float = Field(default=30, ge=0)
    """How long a finished job's copy stays on the member; never shorter than a call can be in flight."""
    cooldown: float = Field(default=300, ge=0)
    """How long at most a pool is left out for a job that did not start there."""
    cycle_interval: float = Field(default=0.15, gt=0)
    """Least time between two scheduling cycles: the first change after a quiet time starts one at once, those after it are gathered."""
    start_grace: float = Field(default=120, ge=0)
    """How long an attempt may stay whose image cannot be pulled, whose container lacks its config, or whose pods are refused."""
    counters_interval: float = Field(default=15, gt=0)
    """Least time between two writes of mere counters of one job."""
    resync_interval: float = Field(default=240, gt=0)
    """Time between two looks for changes that a watch missed."""
    reconcile_workers: int = Field(default=32, ge=1)
    """Jobs that are written on the hub at the same time; calls to each member have a lane of their own beside it."""

    output_tail: int = Field(default=1024 * 1024, ge=0)
    """Bytes that are kept of what each rank of an attempt printed last; 0: nothing is kept."""
    output_retention: float = Field(default=7 * 24 * 3600, ge=0)
    """How long they are kept, at most until the job is deleted."""
    output_of_namespace: int = Field(default=64 * 1024 * 1024, ge=0)
    """Bytes, packed, that are kept of the jobs of one namespace; of more the oldest go."""
    output_in_all: int = Field(default=512 * 1024 * 1024, ge=0)
    """The same of all jobs; without a database that outlives the process a sixteenth of it."""

    streams: int = Field(default=256, ge=0)
    """Shells and ports of jobs that may be open at the same time; 0: none."""
    streams_of_namespace: int = Field(default=64, ge=0)
    """The same of the jobs of one namespace."""
    streams_of_user: int = Field(default=32, ge=0)
    """The same of one user; each connection to a forwarded port is one."""

    query_address: str = ""
    """Where `query.sampan.dev` is served over TLS, host:port; empty: not at all."""
    query_tls: Path = Path("query-tls")
    """Folder with `ca.crt`, the CA of the hub's front proxy, and `tls.crt` and `tls.key` of the server; read again when they change."""
    query_host: str = ""
    """Name of the server: the operator makes its certificate itself and has the hub believe it; empty: the files of `query_tls`."""
    query_proxy_names: Annotated[frozenset[str], NoDecode] = frozenset({"front-proxy-client"})
    """Common names that the front proxy's certificate may have; comma-separated in the environment."""

    @field_validator("query_address")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value and not (host and port.isdigit()):
            raise ValueError("must be host:port, such as 0.0.0.0:8443")
        return value

    @field_validator("allowed_proxies")
    @classmethod
    def _proxies(cls, value: frozenset[str]) -> frozenset[str]:
        if not all(_PROXY.fullmatch(each) for each in value):
            raise ValueError("must be HOST:PORT of each proxy, such as proxy.example.com:3128 or [2001:db8::1]:3128")
        return frozenset(each.lower() for each in value)

    @field_validator(
        "provider_namespaces", "allowed_networks", "denied_networks", "allowed_proxies", "home_origins", "query_proxy_names", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def metrics_host(self) -> str:
        """Return the address part of `metrics_address`."""
        return self.metrics_address.rpartition(":")[0].strip("[]")

    @property
    def metrics_port(self) -> int:
        """Return the port part of `metrics_address`."""
        return int(self.metrics_address.rpartition(":")[2])
