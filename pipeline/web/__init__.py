"""The archive over HTTP: pages for people, the CDX server API, Memento, the bytes as they were."""
