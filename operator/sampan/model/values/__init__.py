"""Exact amounts, vectors of them, label selectors, and the names that Sampan writes."""
