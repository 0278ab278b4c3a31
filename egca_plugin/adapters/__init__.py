"""The only place that knows a training framework."""
