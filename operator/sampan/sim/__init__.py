"""The production scheduler under simulated time: recorded workloads in, figures out. No API server and no real clock here."""
