"""NL1: exp, log and probabilities."""
