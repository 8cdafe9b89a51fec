"""From URLs, files or earlier runs to a committed run: record, extract, add documents."""
