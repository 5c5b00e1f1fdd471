"""What people are told: why a job waits, when it starts, what it would get. Every answer is found by the cycle's own parts."""
