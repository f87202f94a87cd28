"""Recipes of the embedding family."""
