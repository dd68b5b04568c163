"""Tensors that tests give to operators."""

import torch

IMAGES, CODES, UNITS = torch.rand(2, 3, 8, 8), torch.rand(2, 5), torch.rand(4, 3)
MARGIN = torch.tensor(2.0)
