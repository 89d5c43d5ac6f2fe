"""Records become rows: all writing into an index."""
