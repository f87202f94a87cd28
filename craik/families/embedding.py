"""The embedding family."""
