"""Names and labels of everything Sampan writes into a member: derived, never random, so that nothing is created twice."""

import base64
import hashlib
from functools import lru_cache
from typing import Final

GROUP: Final = "sampan.dev"
VERSION: Final = "v1alpha1"
FINALIZER: Final = f"{GROUP}/remote-cleanup"
LABEL_HUB: Final = f"{GROUP}/hub"
LABEL_JOB_UID: Final = f"{GROUP}/job-uid"
LABEL_INDEX: Final = "batch.kubernetes.io/job-completion-index"
"""Kubernetes' own, on the pods of an Indexed Job: which of them it is."""
LABEL_ATTEMPT: Final = f"{GROUP}/attempt"
LABEL_SHARED: Final = f"{GROUP}/share-with-jobs"
"""On a Secret of the hub, by its owner: with the value true, jobs of its namespace may take it along."""
ANNOTATION_JOB: Final = f"{GROUP}/job"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGER: Final = "sampan"
NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
"""The label that every namespace has, with its name."""


@lru_cache(maxsize=1 << 15)  # asked for at each event of a copy
def remote_name(hub_id: str, job_uid: str) -> str:
    """Return the name of a job's copy on any member: `sj-` and 26 base32 characters.

    130 bits of SHA-256 over the length-prefixed (hub identity, job UID): no join of two other texts gives the same name,
    and the name leaves room for the `-NNNN-xxxxx` that Indexed Jobs append within 63 characters.
    """
    digest = hashlib.sha256()
    for part in (hub_id.encode(), job_uid.encode()):
        digest.update(len(part).to_bytes(8, "big") + part)
    return "sj-" + base64.b32encode(digest.digest())[:26].decode().lower()


def remote_labels(*, hub_id: str, job_uid: str, attempt: int) -> dict[str, str]:
    """Return the labels that tell our objects on a member from everybody else's."""
    return {LABEL_HUB: hub_id, LABEL_JOB_UID: job_uid, LABEL_ATTEMPT: str(attempt), LABEL_MANAGED_BY: MANAGER}
