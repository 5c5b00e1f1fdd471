"""Sampan: AI jobs over many providers' clusters and many vendors' accelerators."""

__version__ = "0.1.0"
"""The one place of the version; `tests/unit/test_package.py` says what else follows it."""
