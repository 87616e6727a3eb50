"""The providers: one table per file. The engine finds them by their file name."""
