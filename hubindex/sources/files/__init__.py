"""Facts from files: what other people have written down."""
