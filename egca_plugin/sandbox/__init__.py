"""The only place that runs generated code. Trusted and untrusted processes meet here, over bounded bytes.

Imports nothing at the top, since the candidate's process imports from this package too. The faces:
``api.Sandbox`` (run programs), ``referee.judge`` (a verdict), ``pool.Pool`` (many workers), ``wire`` (values as bytes),
``isolation.probe`` (what this host offers).
"""
