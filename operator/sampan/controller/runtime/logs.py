"""Logs: one JSON object a line, with stable event names. What goes in was cleaned before; secrets are never given to a logger."""

import json
import logging
import sys
from datetime import UTC, datetime

from sampan.controller.state.record import JobRecord
from sampan.faults import fault_of
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import AttemptReason, JobReason

log = logging.getLogger(__name__)

_FINE = frozenset(
    {
        *(JobReason.BOUND, JobReason.PODS_RUNNING, JobReason.NOT_STARTED, JobReason.RESUMED, JobReason.SUSPENDED_BY_USER),
        AttemptReason.COMPLETED,
    }
)
"""Reasons of a status that nobody need look into."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return time, level, logger, event, and the record's extra fields."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage()[:1024],
            **{key: value for key, value in vars(record).items() if key not in _STANDARD},
        }
        if record.exc_info and record.exc_info[1] is not None:  # of a library: ours log faults without
            line |= fault_of(record.exc_info[1])
        return json.dumps(line, default=str, ensure_ascii=False)


def log_status_change(record: JobRecord, status: JobStatus) -> None:
    """Log what a job's status begins to say, with the job's name, where somebody may have to look into it."""
    told = (status.reason, status.message)
    if told[0] is None or told[0] in _FINE or told == (record.status.reason, record.status.message):
        return
    binding = record.binding
    where = {"offer": str(binding.offer), "pool": binding.pool, "attempt": binding.attempt} if binding else {}
    job = {"job": f"{record.namespace}/{record.name}", "uid": record.uid, "phase": str(status.phase)}
    log.warning("job.status", extra={**job, **where, "reason": told[0], "detail": told[1]})


def configure(level: str) -> None:
    """Send every logger's records to stderr as JSON. At DEBUG, Kopf and aiohttp stay at INFO: they would log bodies."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("kopf", "aiohttp", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.getLogger().level, logging.INFO))
