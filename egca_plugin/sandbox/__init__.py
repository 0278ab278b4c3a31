"""The only place that runs generated code. Trusted and untrusted processes meet here, over bounded bytes.

Split by side: ``inside/`` is what the candidate's process runs, ``outside/`` what the trusted side does, ``wire/`` the
values that cross. Between them: the zygote that forks children, and the layers that shut it in. The faces:
``outside.api.Sandbox`` (run programs), ``outside.pool.Pool`` (many workers),
``outside.probing.probe`` (what this host offers).

Imports nothing at the top, since the candidate's process imports from this package too.
"""
