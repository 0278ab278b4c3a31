"""verl's settings on a CPU, each really run once with EGCA: ``python -m benchmarks.matrix``.

One row is one run of verl on the tests' tiny policy that shows several settings together, with the checks that it had
to pass. What cannot run on a CPU has a row too, which says why and what was shown instead.
"""
