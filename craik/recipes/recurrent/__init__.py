"""Recipes of the recurrent family."""
