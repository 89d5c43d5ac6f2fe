"""How sure an answer about the past is."""

from enum import StrEnum


class Certainty(StrEnum):
    """What the evidence allows to say; docs/time.md tells what the words mean."""

    CONFIRMED = "confirmed"
    """The evidence proves it."""
    REPORTED = "reported"
    """A witness saw it, and nothing that we know speaks against that."""
    INFERRED = "inferred"
    """The best guess: something else may have been there, unseen."""
    UNKNOWN = "unknown"
    """There is no evidence, or no digest in it."""
