"""ComputeJob.status as values: read once, derive the next one, patch the difference."""
