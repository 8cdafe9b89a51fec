"""What a page, a style sheet, a feed or a sitemap leads to. Pure functions over hostile bytes; run in the workers."""
