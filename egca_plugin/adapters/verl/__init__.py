"""EGCA inside verl. Import ``egca_plugin.adapters.verl.register`` to register everything, in order."""
