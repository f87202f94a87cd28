"""Recipes of the latent family."""
