"""What the verbs share: calls on a hub, objects from files, times, tables, errors in one line."""
