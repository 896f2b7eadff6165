"""Use cases: one per public method. They see ports and pure rooms, never settings or adapters."""
