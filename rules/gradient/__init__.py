"""NL8: gradients."""
