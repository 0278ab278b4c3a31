"""Does narrower credit learn faster? The matrix of arms on programs whose faulty tokens are known.

``python -m benchmarks.learning`` (or ``egca bench learning``) trains a tiny policy once per arm, learning rate and
seed, and writes ``results/learning_synthetic.json`` and ``.svg``.
"""
