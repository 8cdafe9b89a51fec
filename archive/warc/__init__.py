"""WARC 1.1 records: written, read back, walked member by member."""
