"""What the pages, the programming interfaces and replay share."""
