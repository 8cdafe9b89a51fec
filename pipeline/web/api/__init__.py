"""What programs ask for over HTTP."""
