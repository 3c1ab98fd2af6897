"""Static mixtures before a single update: which task deserves how much, from the text alone."""
