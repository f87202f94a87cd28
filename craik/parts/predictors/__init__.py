"""What comes next, in the space of embeddings."""
