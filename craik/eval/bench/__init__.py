"""Many cards: benchmarks of several worlds, comparisons, and the page that shows them."""
