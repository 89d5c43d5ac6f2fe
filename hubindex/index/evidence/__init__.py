"""What the evidence about a tag means: the law of docs/time.md, pure, without a database."""
