"""The aggregated API `query.sampan.dev`: answers to people, through the hub's API server. Never here: a decision, or a write."""
