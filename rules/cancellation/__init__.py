"""NL3: cancellation."""
