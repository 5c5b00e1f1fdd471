"""What is known of a job's copies and what stalls the job, joined from what the links keep and what the hub says."""
