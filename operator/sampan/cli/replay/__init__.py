"""`sampan replay`: a recorded workload submitted to a running federation, followed and reported."""
