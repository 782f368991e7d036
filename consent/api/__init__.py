"""The JSON API (DESIGN 5.3)."""
