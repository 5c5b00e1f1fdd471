"""From a stranger's kubeconfig to credentials that lead nowhere they should not."""
