"""What is told of an image that cannot be pulled: what went wrong fits into the room there is."""

import pytest

from remote_objects import job, waiting
from sampan.controller.observation.attempt import observe
from sampan.controller.observation.pod_tally import PodTally

IMAGE = "registry.example/" + "very/long/" * 12 + "name:1"
WHY = "failed to resolve image: dial tcp: lookup registry.example on 127.0.0.1:53: no such host"


@pytest.mark.parametrize("begins", ["", f'Back-off pulling image "{IMAGE}": ErrImagePull: '])
def test_of_an_image_that_cannot_be_pulled_what_went_wrong_is_told_and_not_its_name_twice(begins: str) -> None:
    words = f'{begins}failed to pull and unpack image "{IMAGE}": {WHY}'
    seen = observe(job(active=1), PodTally.of([waiting(0, "ImagePullBackOff", words)]), gang=True, replicas=1)
    assert (seen.reason, seen.message) == ("ImagePullBackOff", WHY)
