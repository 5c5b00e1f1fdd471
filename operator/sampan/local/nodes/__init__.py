"""Real nodes of a local federation: kubelet, containerd and runc in namespaces of their own. Never here: simulated nodes."""
