"""Tests of sampan.local.nodes.addresses."""

from ipaddress import ip_address, ip_network

from sampan.local.nodes import addresses


def test_no_two_nodes_share_an_address_and_all_are_inside() -> None:
    numbers = range(1, addresses.MOST_NODES + 1)
    nodes = [ip_address(addresses.node_address(number)) for number in numbers]
    ranges = [ip_network(addresses.pod_range(number)) for number in numbers]
    assert len(set(nodes)) == len(set(ranges)) == len(numbers)
    inside = [ip_network(each) for each in addresses.INSIDE]
    assert all(any(node in network for network in inside) for node in nodes)
    assert all(any(pods.subnet_of(network) for network in inside) for pods in ranges)  # type: ignore[arg-type]


def test_the_switch_and_its_services_are_nobody_elses() -> None:
    taken = {addresses.node_address(number) for number in range(1, addresses.MOST_NODES + 1)}
    own = {addresses.SWITCH, addresses.API_SERVER, addresses.DNS_SERVER}
    assert len(own) == 3
    assert not own & taken
    # kube-apiserver gives its own Service the first address of the range.
    assert ip_address(addresses.API_SERVER) == next(ip_network(addresses.SERVICES).hosts())
