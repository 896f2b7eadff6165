"""C2PA Content Credentials: the development authority, signing, reading, trust lists.

The one room that knows the C2PA library. Foreign manifests are untrusted: they are read in a
sandboxed child process, never fetched from anywhere, and come out as ``ManifestReport``. May import
ports and ``sandbox``; no other room.
"""
