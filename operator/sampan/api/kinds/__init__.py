"""Our kinds as pydantic models, one a file, and the table of them. What fields of several kinds share is in `fields`."""
