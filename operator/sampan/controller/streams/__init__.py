"""A shell, a container's terminal, a port: streams between people and the pods of their jobs. Never here: what a job prints (`logs`)."""
