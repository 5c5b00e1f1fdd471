"""The allow-list of launch recipes: what is not on it is refused, and nothing of ours can be overwritten."""

from typing import Any

import pytest
from pydantic import ValidationError

from sampan.api.fields.launch_spec import OfferLaunchSpec, RecipeSpec


@pytest.mark.parametrize(
    "wrong",
    [
        {"hostNetwork": True},
        {"privileged": True},
        {"podSecurityLevel": "none"},
        {"supplementalGroups": [0]},
        {"extraResources": {"rdma/hca": 0}},
        {"extraResources": {"memory": 1}},
        {"hostPaths": [{"path": "relative", "mountPath": "/x"}]},
        {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_is_not_on_the_list_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RecipeSpec.model_validate(wrong)


def test_only_an_offer_brings_registry_credentials() -> None:
    assert OfferLaunchSpec.model_validate({"imagePullSecrets": [{"name": "pull"}]}).image_pull_secrets[0].name == "pull"
    with pytest.raises(ValidationError):
        RecipeSpec.model_validate({"imagePullSecrets": [{"name": "pull"}]})
