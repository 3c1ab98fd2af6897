"""What `curriculum-rl compare` is made of: contestants, cells, workers, statistics, and the pages that show them."""
