"""The app in a project of somebody else: defaults, a first site, pages without tags."""
