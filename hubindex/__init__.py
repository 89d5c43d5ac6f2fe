"""hubindex: search Docker Hub offline, and know which image a tag pointed to."""

__version__ = "0.1.0"
