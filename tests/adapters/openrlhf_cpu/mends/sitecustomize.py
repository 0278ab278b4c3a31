"""Python imports this at the start of every process that has the folder on its path."""

import os

if os.environ.get("OPENRLHF_CPU") == "1":
    import on_cpu

    on_cpu.install()
