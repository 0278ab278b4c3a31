"""Tests in other people's forms: pytest and unittest source, and cases of a call with its result.

Run in a judge (:mod:`egca_plugin.judging.server`); the trusted worker only compiles.
"""
