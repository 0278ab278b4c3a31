"""Patches tried: all of them in one program, on all inputs, within a budget of steps."""
