"""Accelerator facts: packaged data, and what a node's names and labels say about its devices. No clock, no network."""

from sampan.catalog.catalog import Catalog, load
from sampan.catalog.detection import Detection

__all__ = ["Catalog", "Detection", "load"]
