"""What keeps a latent space from collapsing."""
