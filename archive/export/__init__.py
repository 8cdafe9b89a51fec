"""WACZ 1.1.1 files: what an archive holds, packed for other readers."""
