"""Template tags: the banner, the footer, and gates."""
