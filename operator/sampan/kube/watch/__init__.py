"""LIST and WATCH for ever, page by page, with growing pauses."""
