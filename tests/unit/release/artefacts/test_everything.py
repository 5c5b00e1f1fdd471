"""A whole release: an image that has outgrown its bounds is not one."""

from pathlib import Path

import pytest

from sampan.release.artefacts.everything import LARGEST_PACKED, LARGEST_UNPACKED, refuse_large
from sampan.release.errors import ReleaseError
from sampan.release.image import Image


def image(*, packed: int = LARGEST_PACKED, unpacked: int = LARGEST_UNPACKED) -> Image:
    """An image of that size."""
    return Image(archive=Path("sampan-image-1.0.0-amd64.oci.tar"), bill=Path("b"), digest="sha256:1", unpacked=unpacked, packed=packed)


def test_an_image_may_be_as_large_as_said_and_no_larger() -> None:
    refuse_large(image())
    for large in (image(packed=LARGEST_PACKED + 100_000), image(unpacked=LARGEST_UNPACKED + 100_000)):
        with pytest.raises(ReleaseError, match=r"amd64\.oci\.tar: 80\.\d MB packed and 300\.\d MB unpacked; at most 80 and 300"):
            refuse_large(large)
