"""The disclosure document of a film."""
