"""What a member is: its nodes, devices and offers, and what its API server admits."""
