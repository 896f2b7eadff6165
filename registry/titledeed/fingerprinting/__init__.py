"""One class per fingerprint algorithm: decoded frames in, codes out; no files, no decoding.

A code is never changed in place: a changed algorithm is a new version beside the old one.
"""
