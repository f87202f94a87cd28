"""Worlds: exact ones, Gymnasium's, and a model as one."""
