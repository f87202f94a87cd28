"""Deciding: planners, policies, and the couplings of model and policy. Knows `WorldModel`, no family."""
