"""Cookie consent: decide, record, remember and prove what visitors chose."""
