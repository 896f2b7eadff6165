"""Typed objects over the object store: this room alone knows keys and formats, and forgets.

May import canonical forms, models and ports. Nobody outside names a key or opens what is kept.
"""
