"""With which kubeconfig a link connects."""

from sampan.controller.members.credentials import LinkCredentials
from sampan.kube.credentials import kubeconfig as kubeconfigs
from sampan.kube.credentials.credential import Credentials
from unit.controller.link_harness import KEY, SETTINGS
from unit.kube.certs import kubeconfig


def parsed(token: str) -> Credentials:
    """A kubeconfig with this token."""
    text = kubeconfig(server="https://127.0.0.1:1", user=f"    token: {token}")
    return kubeconfigs.parse(text.encode(), policy=SETTINGS.policy)


def test_of_two_kubeconfigs_that_fail_each_is_tried_in_turn() -> None:
    known = LinkCredentials(key=KEY)
    known.working, known.newest = parsed("old"), parsed("new")
    tried = []
    for _ in range(4):
        chosen = known.choice()
        assert chosen is not None
        tried.append(chosen)
        known.note_failure(chosen, ConnectionError())
    assert tried == [known.newest, known.working] * 2
