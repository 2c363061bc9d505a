"""Run the code of findings, in its own interpreter, and say which of them fail."""
