"""Offers and providers: what they declare, what that is worth, and what their status says."""
