"""The API that every registry has (OCI distribution): names of tags, and what each points to."""
