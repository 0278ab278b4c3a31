"""Does narrower credit learn faster? The matrix of arms, with the controls without which nothing is proven.

``python -m benchmarks.learning`` trains a tiny policy on programs whose faulty tokens are known, in minutes;
``python -m benchmarks.learning programs`` a small policy that writes real Python,
``python -m benchmarks.learning policy`` a real model on the starter tasks inside verl, in hours, with resume.
"""
