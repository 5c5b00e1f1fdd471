"""The member's side: the publisher of its capacity."""
