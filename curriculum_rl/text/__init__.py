"""Text to tokens to windows: documents, sources, splits, tokenizers, token arrays, the library of an environment."""
