"""CDXJ lines in ZipNum blocks, and how a snapshot is found in them."""
