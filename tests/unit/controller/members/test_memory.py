"""With which kubeconfig a link connects."""

from member_objects import HUB
from sampan.controller.members.job_copies import OwnJobs
from sampan.controller.members.memory import Known
from sampan.inventory.member import Inventory
from sampan.kube import kubeconfig as kubeconfigs
from sampan.kube.credentials import Credentials
from unit.controller.link_harness import SETTINGS
from unit.kube.certs import kubeconfig


def parsed(token: str) -> Credentials:
    """A kubeconfig with this token."""
    text = kubeconfig(server="https://127.0.0.1:1", user=f"    token: {token}")
    return kubeconfigs.parse(text.encode(), policy=SETTINGS.policy)


def test_of_two_kubeconfigs_that_fail_each_is_tried_in_turn() -> None:
    known = Known(inventory=Inventory(HUB, lambda nodes: None), own=OwnJobs(HUB, lambda uid: None))
    known.good, known.wanted = parsed("old"), parsed("new")
    tried = []
    for _ in range(4):
        chosen = known.choice()
        assert chosen is not None
        tried.append(chosen)
        known.note_failure(chosen, ConnectionError())
    assert tried == [known.wanted, known.good] * 2
