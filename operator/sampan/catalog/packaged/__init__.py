"""The packaged data read into facts: classes, names, launch recipes."""
