"""NL4: linear algebra."""
