"""Where an index is and how it is opened: engines, readers, the schema and its migrations, and all SQL."""
