"""The live picture: jobs, queues and use as values, from which snapshots are taken. Pure: no I/O and no clock."""
