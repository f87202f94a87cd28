"""Players without a world model, learned from the same data: what a model has to be worth more than."""
