"""Docker Hub's own API: searches, repositories and tags."""
