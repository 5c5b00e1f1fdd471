"""Steps of the schema, oldest first: once released, a step never changes; the next one is a new file."""
