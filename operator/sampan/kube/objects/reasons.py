"""Words of Kubernetes that Sampan acts on: reasons that kubelets, controllers and API servers write. Others are passed on as they are."""

from enum import StrEnum


class PodReason(StrEnum):
    """Reasons of pods and their containers, and of the Job over them (kubernetes, pkg/kubelet, pkg/controller)."""

    # The node ended or refused the pod.
    EVICTED = "Evicted"
    NODE_LOST = "NodeLost"
    NODE_SHUTDOWN = "NodeShutdown"
    SHUTDOWN = "Shutdown"
    TERMINATED = "Terminated"
    PREEMPTING = "Preempting"
    NODE_AFFINITY = "NodeAffinity"
    TOPOLOGY_AFFINITY_ERROR = "TopologyAffinityError"
    UNEXPECTED_ADMISSION_ERROR = "UnexpectedAdmissionError"
    OUT_OF_CPU = "OutOfcpu"
    OUT_OF_MEMORY = "OutOfmemory"
    OUT_OF_PODS = "OutOfpods"
    CONTAINER_STATUS_UNKNOWN = "ContainerStatusUnknown"  # the kubelet came back and found the container gone
    UNKNOWN = "Unknown"  # containerd came back, as after a power cut, and found the process gone (internal/cri/server/restart.go)
    # The runtime could not start a container (containerd, Docker).
    START_ERROR = "StartError"
    CONTAINER_CANNOT_RUN = "ContainerCannotRun"
    # A container waits.
    CONTAINER_CREATING = "ContainerCreating"
    POD_INITIALIZING = "PodInitializing"
    CRASH_LOOP_BACK_OFF = "CrashLoopBackOff"
    CREATE_CONTAINER_CONFIG_ERROR = "CreateContainerConfigError"
    CREATE_CONTAINER_ERROR = "CreateContainerError"
    ERR_IMAGE_NEVER_PULL = "ErrImageNeverPull"
    ERR_IMAGE_PULL = "ErrImagePull"
    FAILED_ATTACH_VOLUME = "FailedAttachVolume"
    FAILED_CREATE_POD_SANDBOX = "FailedCreatePodSandBox"
    FAILED_MOUNT = "FailedMount"
    IMAGE_INSPECT_ERROR = "ImageInspectError"
    IMAGE_PULL_BACK_OFF = "ImagePullBackOff"
    INVALID_IMAGE_NAME = "InvalidImageName"
    PULLING = "Pulling"
    REGISTRY_UNAVAILABLE = "RegistryUnavailable"
    RUN_CONTAINER_ERROR = "RunContainerError"
    SIGNATURE_VALIDATION_FAILED = "SignatureValidationFailed"
    # The Job controller could not create a pod.
    FAILED_CREATE = "FailedCreate"
    # The Job failed by its policy, because a pod has the condition DisruptionTarget.
    POD_FAILURE_POLICY = "PodFailurePolicy"
    DISRUPTION_TARGET = "DisruptionTarget"


class ServerReason(StrEnum):
    """Reasons of an API server's refusals that pass by themselves (apimachinery, meta/v1)."""

    INTERNAL_ERROR = "InternalError"
    SERVICE_UNAVAILABLE = "ServiceUnavailable"
    TIMEOUT = "Timeout"
    TOO_MANY_REQUESTS = "TooManyRequests"
