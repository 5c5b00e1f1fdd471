"""Capacity kept for jobs that cannot start yet: who may use it, until when, and what comes back by then."""
