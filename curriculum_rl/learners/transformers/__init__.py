"""Any `transformers` model as a learner."""
