"""What tables of networks say of them, for the methods that train any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hcc_recurrence.networks.build import build_network, takes_images_alone
from hcc_recurrence.networks.resnet import parameter_count

# Of networks whose loss weighs the outcomes (`learning.network_scores.CHANCE_LOSS`).
LOSS_NOTE = (
    "Inner loss: weighted cross-entropy on the early-stopping set, 0.693 for a network that knows nothing; better than "
    "chance: below 0.683."
)


def network_sizes(
    networks: Mapping[str, Mapping[str, Any]], phases: int, shapes: Mapping[str, Sequence[int]]
) -> dict[str, int]:
    """How many parameters each network has.

    Args:
        networks: architecture of each, by name. phases: their number. shapes: z, y, x of a phase in voxels, by name.
    """
    found = {}
    for name, own in networks.items():
        alone = takes_images_alone(own["architecture"])
        found[name] = parameter_count(build_network({**own, "weights": ""}, phases, shapes[name], alone))
    return found
