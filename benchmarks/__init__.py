"""Speed and quality, measured: every module here writes JSON, tables and pictures to benchmarks/results."""
