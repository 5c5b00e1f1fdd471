"""Events on jobs and offers: what is told when their status changes, told once, and written when the hub has time for it."""
