"""HTTP for every source: the one client, and how it is paced, retried, limited and logged."""
