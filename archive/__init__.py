"""What is kept: records, their index, the manifests that make runs exist. Fetches nothing, prints nothing."""
