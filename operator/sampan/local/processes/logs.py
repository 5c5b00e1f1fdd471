"""What a log has to say to somebody who looks for a cause: its warnings and errors. Never here: which log is whose."""

import re
from pathlib import Path

_COMPLAINT = re.compile(
    r'^[WEF]\d{4} |^(panic|error):|"level": ?"(warn|warning|error|critical|dpanic|panic|fatal)"|\blevel=(warn|error)', re.IGNORECASE
)
"""As klog (Kubernetes), zap and slog (etcd, kwok) and the operator mark them."""


def complaints(log: Path, lines: int) -> list[str]:
    """The last so many warnings and errors; where there are none, the last so many lines; nothing where there is no such file."""
    told = [line for line in log.read_text(errors="replace").splitlines() if line.strip()] if log.is_file() else []
    return [line for line in told if _COMPLAINT.search(line)][-lines:] or told[-lines:]
