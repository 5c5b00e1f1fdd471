"""The hub's side: what is read and written there, Kopf's thread and handlers, and what is told to people who wait."""
