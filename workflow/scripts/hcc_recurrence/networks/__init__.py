"""Network architectures and their training: tensors in, tensors out."""
