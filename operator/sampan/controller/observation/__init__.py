"""What is known of a job's copy on its member and what holds it up, read from what the watches keep."""
