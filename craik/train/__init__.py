"""Learning: the loop, the optimiser, checkpoints, logs."""
