"""Judging: contracts, horizons, returns, checks, reports."""
