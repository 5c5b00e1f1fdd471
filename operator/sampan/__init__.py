"""Sampan: AI jobs over many providers' clusters and many vendors' accelerators."""

__version__ = "0.1.0"
