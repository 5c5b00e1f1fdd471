"""What a job's containers print, read on the members: which pods, their lines, several ranks as one output, and how much at once."""
