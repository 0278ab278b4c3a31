"""The comparability gate and the constraints, measured: `python -m benchmarks.gate`."""
