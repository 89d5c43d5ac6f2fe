"""How answers look: tables, templates, JSON, sentences, progress."""
