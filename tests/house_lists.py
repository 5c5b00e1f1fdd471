"""What the house rules let pass, each with its reason. The rules are in `test_architecture` and `test_class_sizes`."""

WIDE_VALUES = {
    "AcceleratorClass": "a data sheet",
    "AcceleratorClassSpec": "a kind's spec",
    "CellAnswer": "a row of an answer",
    "Claimable": "one device as a ResourceSlice has it",
    "Cluster": "a member as the scheduler sees it",
    "ClusterOfferSpec": "a kind's spec",
    "ComputeJobSpec": "a kind's spec",
    "ComputeJobStatus": "a kind's status",
    "RemoteJobSpec": "all that is sent to a member",
    "DeclaredOffer": "an offer's spec as values",
    "Demand": "all that a job asks for",
    "DeviceGroup": "a data sheet",
    "DraDriver": "facts of one driver",
    "JobStatus": "a kind's status as values",
    "LabelFacts": "facts of one vendor",
    "LinkSettings": "settings",
    "Node": "a node as the scheduler sees it",
    "Observation": "what is seen of a copy",
    "Offer": "an offer's spec as values",
    "OfferLaunchSpec": "a part of a kind's spec",
    "Pool": "a data sheet with its terms",
    "PoolStatus": "a kind's status",
    "PoolSummary": "a row of a kind's status",
    "PoolVerdict": "a row of an answer",
    "RemoteState": "what a decision may rest on",
    "Requirement": "all that a job asks of devices",
    "Settings": "the operator's settings",
    "Snapshot": "all that a cycle may know",
    "Template": "a pod, as a kind's spec has it",
    "InitContainer": "a container, as a kind's spec has it",
}
"""Frozen records of more fields than a class may have: each has as many as its subject has. A class that changes is never among them."""

UNSORTED_FOLDERS = frozenset({"tests", "tests/bench", "tests/e2e", "tests/integration"})
"""Folders of tests with more files than a folder may have, which are still to be sorted by subject. None may join them."""
