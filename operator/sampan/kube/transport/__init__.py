"""One API server's verbs: sessions, TLS, bounded bodies, and every failure as an error of this package."""
