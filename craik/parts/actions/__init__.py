"""From actions to vectors and back."""
