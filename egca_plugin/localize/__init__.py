"""From two executions to the statement to blame: align, find the earliest divergence, prove it with a patch."""
