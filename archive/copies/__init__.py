"""The stores of one archive: a primary, its replicas, and what is copied between them."""
