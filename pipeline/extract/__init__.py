"""Clean text and metadata out of pages; the only room that names trafilatura.

Nothing heavy is loaded by naming it: the modules that parse are loaded in the workers.
"""
