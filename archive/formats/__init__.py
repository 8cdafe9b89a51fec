"""The files of a run and of the merged index, one module per format: read with every field checked, and written."""
