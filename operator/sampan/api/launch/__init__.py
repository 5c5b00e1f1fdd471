"""From one attempt of a job to the objects on its member: the Job, its pod, and what they need beside them."""
