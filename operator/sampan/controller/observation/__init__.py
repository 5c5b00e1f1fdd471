"""What is known of a job's copy on its member and what stalls it, read from what the watches keep."""
