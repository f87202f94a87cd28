"""From features to readings."""
