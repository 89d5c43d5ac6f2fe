"""Answers as rows: fields for JSON and templates, cells of tables, sentences; for terminals, pages and programs.

Text from a registry is passed on as it is: whoever shows it makes it safe for the place where it is shown.
"""
