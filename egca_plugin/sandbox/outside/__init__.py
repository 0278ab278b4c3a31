"""The trusted side of the sandbox: it starts zygotes, sends programs and bounds what comes back."""
