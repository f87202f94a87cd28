"""How a belief is carried forward."""
