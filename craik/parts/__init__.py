"""Organs of world models: plain constructor arguments, never a Config."""
