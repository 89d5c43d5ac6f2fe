"""What is asked of an index: each kind of question in a file of its own."""
