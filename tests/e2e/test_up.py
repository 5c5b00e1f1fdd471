"""A whole federation as `sampan local up` leaves it: its offers take jobs, and its operator listens on loopback only."""

from integration.support import FederationUnderTest
from listening import LOOPBACK, listeners


def test_with_the_operator_every_offer_takes_jobs_and_the_operator_listens_on_loopback(federation: FederationUnderTest) -> None:
    offers = federation.hub.items("clusteroffers.sampan.dev", "--all-namespaces")
    assert len(offers) == len(federation.federation.scenario.offers)
    for offer in offers:
        conditions = {condition["type"]: condition["status"] for condition in offer["status"]["conditions"]}
        assert conditions["Schedulable"] == "True", offer["metadata"]["name"]
        priced = {price["resource"]["acceleratorClass"] for price in offer["spec"]["prices"]}
        found = {pool["acceleratorClass"] for pool in offer["status"]["pools"] if pool.get("acceleratorClass")}
        assert found == priced
    status = federation.federation.status()["operator"]
    assert status["running"] is True
    heard = listeners(status["pid"])
    assert {address for address, _ in heard} == LOOPBACK
    assert status["metricsAddress"] in {f"127.0.0.1:{port}" for _, port in heard}
