"""What a job's status says, as values: conditions, binding, attempts, and how each follows from the one before."""
