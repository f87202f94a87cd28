"""What comes next, in a latent space."""
