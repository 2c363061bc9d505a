"""NL2: division, roots and norms."""
