"""How quotas call what jobs take."""

import pytest

from sampan.model.members.admission import ALL_PODS, CONFIG_MAPS, JOBS, SECRETS, SERVICES, quota_key


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("cpu", "cpu"),
        ("requests.cpu", "cpu"),
        ("requests.ephemeral-storage", "ephemeral-storage"),
        ("limits.memory", "limits.memory"),
        ("pods", "pods"),
        ("count/pods", ALL_PODS),
        ("count/jobs.batch", JOBS),
        ("services", SERVICES),
        ("configmaps", CONFIG_MAPS),
        ("count/secrets", SECRETS),
        ("requests.nvidia.com/gpu", "nvidia.com/gpu"),
        ("nvidia.com/gpu", None),
        ("limits.nvidia.com/gpu", None),
        ("requests.hugepages-2Mi", "hugepages-2Mi"),
        ("requests.storage", None),
        ("gold.storageclass.storage.k8s.io/requests.storage", None),
        ("services.nodeports", None),
        ("persistentvolumeclaims", None),
        ("count/widgets.example.com", None),
        ("gpu.deviceclass.resource.k8s.io/devices", "gpu.deviceclass.resource.k8s.io/devices"),
        ("requests.deviceclass.resource.kubernetes.io/gpu", "deviceclass.resource.kubernetes.io/gpu"),
        ("requests.kubernetes.io/batch", None),
    ],
)
def test_a_quotas_entry_counts_what_the_api_server_says_it_counts(name: str, want: str | None) -> None:
    assert quota_key(name) == want
