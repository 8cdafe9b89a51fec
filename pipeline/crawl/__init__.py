"""Which of the URLs that were found are captured, in which order, and why the others are not."""
