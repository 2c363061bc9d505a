"""NL12: logarithms of probabilities, densities and counts."""
