"""What `sampan` can be asked to do: one verb a file, few lines each. What several verbs need is in `lib`."""
