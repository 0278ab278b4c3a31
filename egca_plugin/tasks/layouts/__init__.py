"""One file a public data layout; :mod:`egca_plugin.tasks.layouts.registry` has them all."""
