"""What to fetch, and the way from the sources into the index."""
