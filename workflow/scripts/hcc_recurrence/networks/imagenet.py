"""What networks with torchvision's ImageNet weights expect of their input."""

from __future__ import annotations

import torch

# Of ImageNet, red, green, blue, for values from 0 to 1.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def normalise(images: torch.Tensor) -> torch.Tensor:
    """Values from 0 to 1, (n, 3, y, x) or grey (n, 1, y, x), as z-scores of ImageNet's three colours."""
    mean, deviation = (images.new_tensor(values).view(1, 3, 1, 1) for values in (MEAN, DEVIATION))
    return (images - mean) / deviation
