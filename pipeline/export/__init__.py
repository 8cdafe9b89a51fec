"""Select captures and write them to WACZ, WARC or Parquet files."""
