"""What leaves this machine for people: texts made harmless, and requests to where the user said."""
