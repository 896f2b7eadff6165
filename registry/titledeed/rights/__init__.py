"""Rights statements; licences, consents and disputes come with the contracts around the core."""
