"""Made-up cities: everything in them is synthetic, and every file of them says so."""
