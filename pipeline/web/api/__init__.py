"""Interfaces for programs: the CDX server API, Memento, captures as they were."""
