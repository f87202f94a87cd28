"""The score card: what a model is worth, axis by axis, each number with its floor, its null and its interval."""
