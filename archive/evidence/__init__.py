"""What is proved of an archive, and by whose word: a log of its runs, signed and stamped, and bundles for others."""
