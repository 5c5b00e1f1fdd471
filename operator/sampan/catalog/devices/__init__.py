"""Single devices of a node: slices, cards, wiring, PCI ids, shares, and what pods hold of them."""
