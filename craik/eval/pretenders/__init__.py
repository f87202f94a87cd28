"""Models that are wrong in one known way, over any model and any exact world: what the score card is tested with."""
