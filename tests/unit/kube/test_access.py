"""Access as people and servers write it."""

from sampan.kube.access import Access


def test_words() -> None:
    assert str(Access(verb="create", group="batch", resource="jobs", namespace="a")) == "create jobs.batch in a"
    assert str(Access(verb="get", resource="namespaces", name="kube-system")) == "get namespaces kube-system"
    assert str(Access(verb="get", resource="pods", subresource="log")) == "get pods/log"


def test_review_leaves_out_what_is_empty() -> None:
    review = Access(verb="list", resource="nodes").review()
    assert review["spec"] == {"resourceAttributes": {"verb": "list", "resource": "nodes"}}
