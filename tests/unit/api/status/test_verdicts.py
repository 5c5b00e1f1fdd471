"""A verdict is one line of a status: what is written is what is read, and it fits."""

import pytest

from sampan.api.kinds.computejob_status import ComputeJobStatus
from sampan.api.status.verdicts import StoredVerdicts, verdicts_manifest
from sampan.model.members.offer import OfferKey
from sampan.model.plan import Verdict
from sampan.model.reason import Reason

OFFER = OfferKey("prov-a", "lin.gang-2")
LINES = {
    "prov-a/lin.gang-2 h100-x8: 87 = cost 40, packing 47": Verdict(
        offer=OFFER, pool="h100-x8", alternative=None, score=87, parts=(("cost", 40), ("packing", 47))
    ),
    "prov-a/lin.gang-2 cpu: 0": Verdict(offer=OFFER, pool="cpu", alternative=None, score=0),
    "prov-a/lin.gang-2 a: b = c, d@e: RegionExcluded, AcceleratorMismatch": Verdict(
        offer=OFFER, pool="a: b = c, d@e", alternative=None, reasons=(Reason.REGION_EXCLUDED, Reason.ACCELERATOR_MISMATCH)
    ),
    "prov-a/lin.gang-2: RegionExcluded": Verdict(offer=OFFER, pool="", alternative=None, reasons=(Reason.REGION_EXCLUDED,)),
}


@pytest.mark.parametrize(("line", "verdict"), LINES.items(), ids=LINES)
def test_a_verdict_is_read_as_it_was_written(line: str, verdict: Verdict) -> None:
    assert list(verdicts_manifest([verdict])) == [line]
    assert tuple(StoredVerdicts([line])) == (verdict,)


@pytest.mark.parametrize("line", ["", "nothing", "prov-a/x", "prov-a: RegionExcluded"])
def test_what_is_no_verdict_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match="no verdict"):
        _ = StoredVerdicts([line])[0]


def test_the_longest_names_with_sixteen_of_the_longest_reasons_fit() -> None:
    reasons = tuple(sorted(Reason, key=lambda each: -len(each))[:16])
    longest = Verdict(offer=OfferKey("n" * 63, "o" * 253), pool="p" * 128, alternative=None, reasons=reasons)
    lines = verdicts_manifest([longest])
    assert ComputeJobStatus.model_validate({"verdicts": lines}).verdicts == tuple(lines)
