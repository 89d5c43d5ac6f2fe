"""Signing in: where credentials are found, and the signers that turn them into headers."""
