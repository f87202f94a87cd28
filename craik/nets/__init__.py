"""Blocks with no idea of time or worlds."""
