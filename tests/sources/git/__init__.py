"""Histories that others keep in git."""
