"""Typed objects over the object store: owns every key and every format."""
