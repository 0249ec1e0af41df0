"""Convolutions of a network that only scores: by oneDNN, and with weights that are brought into its layout once.

A patient who is scored alone is a batch of one. PyTorch brings the weights into oneDNN's layout anew for every batch,
which for a single patient is longer than the convolution; and some convolutions of so small a batch it computes as
products of matrices, those of 1 x 1 and of volumes, which with portable kernels (`numerics`) are several times slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def laid_out(network: nn.Module) -> Iterator[None]:
    """Within this context convolutions of a network on a CPU take their weights as they are now; nothing learns.

    The kernel of each is chosen by the shape of its input alone, so that scores hang on nothing else. Convolutions
    whose padding is a word or anything but zeros, transposed ones, and all where PyTorch lacks oneDNN stay as they are.
    """
    changed = [module for module in network.modules() if _known(module)]
    for module in changed:
        # Of the instance: what is called instead of its class's method.
        module.forward = _with_weights_laid_out(module)
    try:
        with torch.inference_mode():
            yield
    finally:
        for module in changed:
            del module.forward


def _known(module: nn.Module) -> bool:
    return (
        isinstance(module, nn.Conv2d | nn.Conv3d)
        and not isinstance(module.padding, str)
        and module.padding_mode == "zeros"
        and module.weight.device.type == "cpu"
        and module.weight.dtype == torch.float32
        and torch.backends.mkldnn.is_available()
    )


def _with_weights_laid_out(module: nn.Conv2d | nn.Conv3d) -> Callable[[torch.Tensor], torch.Tensor]:
    about = (list(module.padding), list(module.stride), list(module.dilation), module.groups)
    weight, bias = module.weight.detach(), None if module.bias is None else module.bias.detach()
    # Shape of the input -> the weights as its kernel takes them.
    kept: dict[torch.Size, torch.Tensor] = {}

    def forward(x: torch.Tensor) -> torch.Tensor:
        if x.shape not in kept:
            kept[x.shape] = torch.ops.mkldnn._reorder_convolution_weight(weight, *about, list(x.shape))
        return torch.ops.mkldnn._convolution_pointwise(x, kept[x.shape], bias, *about, "none", [], "")

    return forward
