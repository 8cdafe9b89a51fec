"""Visit pages in Chromium; every exchange passes through the recorder."""
