"""The calls that take Sampan off a hub, one function a step, with an administrator's credentials. Each may be repeated.

What must never live here: the order of the steps and what is said about them (uninstall.py), and any call to a member:
the copies there are the operator's to remove, or the member's own people's.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from sampan.cli.uninstall.bound_jobs import Object, has_finalizer, is_bound
from sampan.model.values.names import FINALIZER, GROUP, VERSION

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

JOBS: Final = "computejobs"
OFFERS: Final = "clusteroffers"
DEPLOYMENT: Final = "sampan-operator"
POLICIES: Final = (
    ("mutatingadmissionpolicybindings", "remote-cleanup.sampan.dev"),
    ("mutatingadmissionpolicies", "remote-cleanup.sampan.dev"),
    ("validatingadmissionpolicybindings", "metadata.sampan.dev"),
    ("validatingadmissionpolicies", "metadata.sampan.dev"),
)
"""What stands in the way of a finalizer, in the order of removal: the binding first, for a policy without one does nothing."""
PAGE: Final = 500
TIMEOUT: Final = (5, 30)
_ADMISSION: Final = "admissionregistration.k8s.io"
_FORBIDDEN, _GONE, _CONFLICT = 403, 404, 409


class Teardown:
    """The hub behind one client. Errors are the official client's `ApiException` and urllib3's `HTTPError`."""

    def __init__(self, client: "ApiClient") -> None:
        from kubernetes.client import AppsV1Api, CustomObjectsApi

        self._custom = CustomObjectsApi(client)
        self._apps = AppsV1Api(client)

    def objects(self, plural: str) -> Iterator[Object]:
        """All objects of one of our kinds, in pages; nothing where the kind is not served."""
        token = ""
        while True:
            page = self._page(plural, token)
            yield from page["items"]
            token = page["metadata"].get("continue") or ""
            if not token:
                return

    def close_offers(self) -> list[Object]:
        """Set `accepting: false` on every offer that accepts, so that nothing new is bound; return those that were changed."""
        changed = [offer for offer in self.objects(OFFERS) if offer.get("spec", {}).get("accepting", True)]
        return [offer for offer in changed if self._patch(OFFERS, offer, {"spec": {"accepting": False}})]

    def suspend_bound(self, jobs: list[Object]) -> list[Object]:
        """Suspend every bound job of the list that nobody has suspended or deleted: the operator then removes its copy."""
        running = [job for job in jobs if is_bound(job) and not job["spec"].get("suspend") and not job["metadata"].get("deletionTimestamp")]
        return [job for job in running if self._patch(JOBS, job, {"spec": {"suspend": True}})]

    def installations(self) -> list[str]:
        """Return the namespaces with a Deployment of the operator."""
        found = self._apps.list_deployment_for_all_namespaces(field_selector=f"metadata.name={DEPLOYMENT}", _request_timeout=TIMEOUT)
        return sorted(each.metadata.namespace for each in found.items)

    def stop_operator(self, namespace: str) -> bool | None:
        """Ask for no replica of the chart's Deployment. True: none is left; False: some still end; None: there is no Deployment."""
        from kubernetes.client.exceptions import ApiException

        try:
            deployment = self._apps.read_namespaced_deployment(DEPLOYMENT, namespace, _request_timeout=TIMEOUT)
            if deployment.spec.replicas:
                self._apps.patch_namespaced_deployment_scale(DEPLOYMENT, namespace, {"spec": {"replicas": 0}}, _request_timeout=TIMEOUT)
        except ApiException as error:
            if error.status == _GONE:
                return None
            raise
        return not deployment.spec.replicas and not deployment.status.replicas

    def remove_policies(self) -> list[str]:
        """Delete the policies that keep the finalizer on; return those that were there. They come back with `helm upgrade`."""
        return [f"{plural}/{name}" for plural, name in POLICIES if self._delete_policy(plural, name)]

    def release(self) -> int:
        """Take our finalizer off everything that has it; return how many objects still had it: call again until that is 0."""
        held = [(plural, item) for plural in (JOBS, OFFERS) for item in self.objects(plural) if has_finalizer(item)]
        for plural, item in held:
            others = [name for name in item["metadata"]["finalizers"] if name != FINALIZER]
            metadata = {"finalizers": others, "resourceVersion": item["metadata"]["resourceVersion"]}
            self._patch(plural, item, {"metadata": metadata})
        return len(held)

    def _page(self, plural: str, token: str) -> Mapping[str, Any]:
        from kubernetes.client.exceptions import ApiException

        extra = {"_continue": token} if token else {}
        try:
            page: Mapping[str, Any] = self._custom.list_cluster_custom_object(
                GROUP, VERSION, plural, limit=PAGE, _request_timeout=TIMEOUT, **extra
            )
        except ApiException as error:
            if error.status == _GONE:
                return {"items": [], "metadata": {}}
            raise
        return page

    def _patch(self, plural: str, item: Object, body: Mapping[str, Any]) -> bool:
        """Merge-patch; False where the next round has to see the object anew: it is gone, or somebody was faster, or the API server
        still obeys a policy that was removed a moment ago."""
        from kubernetes.client.exceptions import ApiException

        meta = item["metadata"]
        try:
            self._custom.patch_namespaced_custom_object(
                GROUP,
                VERSION,
                meta["namespace"],
                plural,
                meta["name"],
                body,
                _content_type="application/merge-patch+json",
                _request_timeout=TIMEOUT,
            )
        except ApiException as error:
            if error.status in (_GONE, _CONFLICT) or (error.status == _FORBIDDEN and "ValidatingAdmissionPolicy" in str(error.body)):
                return False
            raise
        return True

    def _delete_policy(self, plural: str, name: str) -> bool:
        from kubernetes.client.exceptions import ApiException

        for version in ("v1", "v1beta1"):
            try:
                self._custom.delete_cluster_custom_object(_ADMISSION, version, plural, name, _request_timeout=TIMEOUT)
            except ApiException as error:
                if error.status != _GONE:
                    raise
            else:
                return True
        return False
