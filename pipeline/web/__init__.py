"""The archive over HTTP: the CDX server API, Memento, the bytes as they were."""
