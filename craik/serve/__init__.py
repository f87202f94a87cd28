"""The play server (empty so far)."""
