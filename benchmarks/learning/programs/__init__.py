"""Does credit at the place help a policy that writes real programs? A small policy, real Python, sandbox and localiser.

``python -m benchmarks.learning programs``; the README beside this package says what is measured, and how the default is
chosen.
"""
