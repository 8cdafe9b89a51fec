"""Pages for people: search, timelines, texts, comparisons, captured pages in a sandbox, what is gone."""
