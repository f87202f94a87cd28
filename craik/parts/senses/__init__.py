"""From observations to features."""
