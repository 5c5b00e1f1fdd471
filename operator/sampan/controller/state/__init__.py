"""The live state: jobs, queues and usage as values, from which snapshots are taken. Pure: no I/O and no clock."""
