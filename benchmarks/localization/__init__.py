"""Localisation scored on programs whose fault is known: mutants, their restructured twins, and independent programs."""
