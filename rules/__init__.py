"""The built-in rule pack: one module per rule, one folder per family."""
