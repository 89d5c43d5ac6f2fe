"""Facts from git histories that other people keep."""
