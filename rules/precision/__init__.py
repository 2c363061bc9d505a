"""NL7: precision and dtype."""
