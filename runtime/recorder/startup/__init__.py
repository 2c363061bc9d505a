"""The folder that stands first on the ``PYTHONPATH`` of a recorded command."""
