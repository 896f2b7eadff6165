"""Rule packs: what a festival or a law asks, as data, and its evaluation over facts."""
