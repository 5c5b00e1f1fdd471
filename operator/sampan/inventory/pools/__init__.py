"""Nodes of an offer grouped into pools, their names, and what an offer's status shows of them."""
