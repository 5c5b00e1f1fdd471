"""Typed values of API objects as they are on the wire; only what somebody reads is decoded."""
