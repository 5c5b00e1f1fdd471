"""The only translator between API objects and the model, in both directions."""
