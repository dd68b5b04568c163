"""The operators in plain PyTorch; this package imports nothing but torch."""
