"""The native transformer: N learners in one set of tensors."""
