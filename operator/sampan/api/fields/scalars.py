"""Scalar types of our custom resources: bounded, with a pattern that API server and operator read alike. No objects, no amounts here.

Patterns must mean the same to RE2 (the API server) and to Rust's regex (pydantic): ASCII classes only, anchored, no look-around.
Integers are strict, but for one trap: an API server accepts and stores `8.0` for an integer, so the operator reads it as 8.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainSerializer, Strict, StringConstraints, WithJsonSchema

LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{LABEL}(\.{LABEL})*"
_LABEL_NAME: Final = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
LABEL_KEY_PATTERN: Final = rf"^({_SUBDOMAIN}/)?{_LABEL_NAME}$"
_DOMAIN: Final = "[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?"
_PATH: Final = r"[a-z0-9]+([._-]+[a-z0-9]+)*"
_IMAGE: Final = rf"^({_DOMAIN}/)?{_PATH}(/{_PATH})*(:[A-Za-z0-9_][-A-Za-z0-9_.]{{0,127}})?(@sha256:[0-9a-f]{{64}})?$"
_NO_CONTROLS: Final = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
_DISPLAY: Final = (
    r"^[ -~\x{00A1}-\x{00AC}\x{00AE}-\x{024F}\x{2013}\x{2014}\x{3001}\x{3002}\x{3041}-\x{30FF}\x{4E00}-\x{9FFF}\x{AC00}-\x{D7A3}]*$"
)
_TIMESTAMP: Final = r"^[12][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z$"


def _whole(value: Any) -> Any:
    """Read 8.0 as 8, as the API server does; leave everything else, booleans above all, to the strict check."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read_timestamp(value: Any) -> Any:
    """Return an RFC 3339 UTC text as an aware datetime; raises ValueError for every other text."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or len(value) > 32 or re.fullmatch(_TIMESTAMP[1:-1], value, re.ASCII) is None:
        raise ValueError("must be a UTC time such as 2026-01-31T08:00:00Z")
    return datetime.fromisoformat(value)


def write_timestamp(value: datetime) -> str:
    """Return an aware datetime as RFC 3339 in UTC, with microseconds only where there are any."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


Int = Annotated[int, BeforeValidator(_whole), Strict()]
Bool = Annotated[bool, Strict()]
Count = Annotated[Int, Field(ge=0, le=1_000_000)]
DeviceCount = Annotated[Int, Field(ge=1, le=1024)]
Replicas = Annotated[Int, Field(ge=1, le=4096)]
Seconds = Annotated[Int, Field(ge=1, le=31_536_000)]
"""A span of at most one year."""

DnsLabel = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=f"^{LABEL}$")]
DnsSubdomain = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=f"^{_SUBDOMAIN}$")]
LabelKey = Annotated[str, StringConstraints(min_length=1, max_length=317, pattern=LABEL_KEY_PATTERN)]
LabelValue = Annotated[str, StringConstraints(max_length=63, pattern=f"^({_LABEL_NAME})?$")]
GrantedValue = Annotated[str, StringConstraints(max_length=63, pattern=rf"^(\*|({_LABEL_NAME})?)$")]
Uid = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern="^[A-Za-z0-9-]+$")]
CamelCase = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern="^[A-Za-z]([A-Za-z0-9_,:/]*[A-Za-z0-9_])?$")]
"""A machine-readable word; `/` parts a code from its reason, as in InvalidKubeconfig/ExecNotAllowed."""
Country = Annotated[str, StringConstraints(min_length=2, max_length=2, pattern="^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""
Architecture = Annotated[str, StringConstraints(min_length=1, max_length=16, pattern="^[a-z0-9]+$")]
"""A node's `kubernetes.io/arch`, such as amd64 or arm64."""
ResourceName = Annotated[
    str, StringConstraints(min_length=3, max_length=317, pattern=rf"^{_SUBDOMAIN}/[A-Za-z0-9*][-A-Za-z0-9_.*]{{0,62}}$")
]
ExtendedResource = Annotated[
    str, StringConstraints(min_length=3, max_length=317, pattern=rf"^{_SUBDOMAIN}/[A-Za-z0-9][-A-Za-z0-9_.]{{0,62}}$")
]
ShortText = Annotated[str, StringConstraints(max_length=1024, pattern=_NO_CONTROLS)]
Profile = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern="^[A-Za-z0-9]([-A-Za-z0-9._+]*[A-Za-z0-9])?$")]
"""A partition as its vendor names it, such as 1g.10gb."""
DottedVersion = Annotated[str, StringConstraints(min_length=1, max_length=24, pattern=r"^[0-9]{1,5}(\.[0-9]{1,5}){0,3}$")]
Image = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=_IMAGE)]
Argument = Annotated[str, StringConstraints(max_length=16_384, pattern=_NO_CONTROLS)]
EnvName = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
AbsolutePath = Annotated[str, StringConstraints(min_length=2, max_length=512, pattern=r"^/[^:\x00-\x1f\x7f]+$")]
DisplayText = Annotated[str, StringConstraints(max_length=256, pattern=_DISPLAY)]
"""Text shown to people: ASCII, Latin, Chinese, Japanese, Korean; no controls, no bidirectional or zero-width marks, no look-alikes."""
Word = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Message = Annotated[str, StringConstraints(max_length=1024)]
"""Text that the operator writes, cleaned of control characters before."""
Generation = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern="^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")]
"""What an image is built for inside a family, such as gfx942, sm_90 or ascend910b."""
Timestamp = Annotated[
    datetime,
    BeforeValidator(read_timestamp),
    PlainSerializer(write_timestamp, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 32, "pattern": _TIMESTAMP}),
]
"""A moment in UTC, written as 2026-01-31T08:00:00Z; fractions down to the microsecond."""
