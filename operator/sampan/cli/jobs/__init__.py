"""Verbs of compute jobs: list, submit, follow, cancel."""
