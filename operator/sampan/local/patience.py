"""How long the local federation's own processes may take. Never here: what is waited for."""

PATIENCE = 180.0
"""Seconds after which what has not come is missing. Only what fails waits so long: a machine that others use too may take its time."""
