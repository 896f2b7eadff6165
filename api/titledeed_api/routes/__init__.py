"""Routes, one module per collection."""
