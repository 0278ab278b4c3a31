"""From a verdict and a divergence to per-token weights of the advantage."""
