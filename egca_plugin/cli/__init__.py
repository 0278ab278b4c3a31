"""The ``egca`` command."""
