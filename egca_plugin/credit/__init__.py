"""From a verdict and a divergence to per-token weights that conserve the advantage."""
