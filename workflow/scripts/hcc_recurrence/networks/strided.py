"""Convolutions with a stride whose gradients have the same bytes on every processor with AVX2.

oneDNN sums the gradient of such a convolution's input in blocks whose number depends on the caches that it finds, and
has no setting for that (docs/numerics.md). Here it is the convolution with stride 1 that it is by definition, whose
kernels sum in one order: of the output's gradient with zeros between its places, by the mirrored weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

CONVOLUTIONS = {2: functional.conv2d, 3: functional.conv3d}


def input_gradient(
    gradient: torch.Tensor, weight: torch.Tensor, size: Sequence[int], stride: Sequence[int], padding: Sequence[int]
) -> torch.Tensor:
    """The gradient of a convolution's input: Dumoulin & Visin, arXiv:1603.07285, section 4.

    Args:
        gradient: of the output, (n, outside, *smaller). weight: (outside, inside, *kernel). size: of the input's space.

    Returns: (n, inside, *size).
    """
    kernel, places = weight.shape[2:], (..., *(slice(None, None, step) for step in stride))
    convolve = CONVOLUTIONS[len(kernel)]
    mirrored = weight.flip(tuple(range(2, weight.dim()))).transpose(0, 1).contiguous()
    if max(kernel) == 1:
        # Zeros stay zeros.
        found = gradient.new_zeros(len(gradient), weight.shape[1], *size)
        found[places] = convolve(gradient, mirrored)
        return found
    unit_stride = [n + 2 * p - k + 1 for n, p, k in zip(size, padding, kernel, strict=True)]
    spread = gradient.new_zeros(*gradient.shape[:2], *unit_stride)
    spread[places] = gradient
    return convolve(spread, mirrored, padding=[k - 1 - p for k, p in zip(kernel, padding, strict=True)])


class _StridedConvolution(torch.autograd.Function):
    """A convolution with a stride and its gradients, that of the input by `input_gradient`."""

    @staticmethod
    def forward(
        context: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        stride: Sequence[int],
        padding: Sequence[int],
    ) -> torch.Tensor:
        context.save_for_backward(x, weight)
        context.stride, context.padding, context.has_bias = stride, padding, bias is not None
        return CONVOLUTIONS[len(stride)](x, weight, bias, stride, padding)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, weight = context.saved_tensors
        wanted = context.needs_input_grad
        of_input = None
        if wanted[0]:
            of_input = input_gradient(gradient, weight, x.shape[2:], context.stride, context.padding)
        ones, zeros = [1] * len(context.stride), [0] * len(context.stride)
        biases = [weight.shape[0]] if context.has_bias else None
        _, of_weight, of_bias = torch.ops.aten.convolution_backward(
            gradient,
            x,
            weight,
            biases,
            *(context.stride, context.padding, ones, False, zeros, 1),
            [False, wanted[1], context.has_bias and wanted[2]],
        )
        return of_input, of_weight, of_bias, None, None


class _Strided:
    """What the two below share."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # A GPU has kernels of its own.
        if x.is_cuda or not (x.requires_grad and torch.is_grad_enabled()):
            return super().forward(x)
        return _StridedConvolution.apply(x, self.weight, self.bias, self.stride, self.padding)


class StridedConv2d(_Strided, nn.Conv2d):
    """`torch.nn.Conv2d` with a stride."""


class StridedConv3d(_Strided, nn.Conv3d):
    """`torch.nn.Conv3d` with a stride."""


STRIDED: dict[type[nn.Module], type[nn.Module]] = {nn.Conv2d: StridedConv2d, nn.Conv3d: StridedConv3d}


def with_ordered_gradients(network: nn.Module) -> nn.Module:
    """The same network, its convolutions with a stride replaced by those of this module; parameters stay the same.

    Raises: ValueError for a convolution with a stride and groups, dilation or another padding than zeros.
    """
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) not in STRIDED or max(child.stride) == 1:
                continue
            if child.groups != 1 or max(child.dilation) != 1 or child.padding_mode != "zeros":
                raise ValueError(f"{name}: a convolution with a stride has groups, dilation or another padding")
            given = (child.in_channels, child.out_channels, child.kernel_size, child.stride, child.padding)
            own = STRIDED[type(child)](*given, bias=child.bias is not None, device="meta")
            own.weight, own.bias = child.weight, child.bias
            setattr(parent, name, own)
    return network
