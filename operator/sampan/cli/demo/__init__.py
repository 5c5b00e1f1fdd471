"""`sampan demo`: a local federation, the examples on it, and a table checked against the members."""
