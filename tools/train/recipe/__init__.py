"""Training recipe of the toy checkpoints."""
