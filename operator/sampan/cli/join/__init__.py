"""`sampan join`: a provider's cluster becomes a member, from the provider's side."""
