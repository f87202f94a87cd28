"""Experience: episodes, the store of them, and what is drawn from it."""
