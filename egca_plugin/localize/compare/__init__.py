"""Two runs side by side: traces, their alignment, and the earliest divergence."""
