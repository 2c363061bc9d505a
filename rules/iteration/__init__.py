"""NL5: iteration and stopping."""
