"""Where facts come from: each source turns HTTP into records, and knows nothing of the index."""
