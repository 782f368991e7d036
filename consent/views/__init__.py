"""Pages: home, the preference centre, the opt-out page, the settings area."""
