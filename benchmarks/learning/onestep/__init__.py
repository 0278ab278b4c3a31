"""One optimiser step of a real model on recorded groups: what each arm's credit does to right and wrong programs."""
