"""The operators in plain PyTorch. Imports torch alone."""
