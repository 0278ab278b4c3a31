class PyNcclCommunicator:
    """Replaced by the mends."""
