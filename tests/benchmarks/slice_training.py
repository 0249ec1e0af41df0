"""How much of an epoch of slice-level training is getting the images: `python tests/benchmarks/slice_training.py`.

100 patients with ten images of three phases at 224 x 224, as `collect_crops` writes them. Reading happens once a
training; here it is charged to its first epoch whole. The share is of the same run's epoch. Options: --architecture,
--patients, --threads, --device.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--architecture", default="resnet50")
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    asked = parser.parse_args()
    import torch

    from hcc_recurrence.cohort.fit import Fit
    from hcc_recurrence.networks.augmentation import augmented
    from hcc_recurrence.networks.build import build_network
    from hcc_recurrence.networks.examples import FITTED, INNER
    from hcc_recurrence.networks.fits import fit_examples, images_alone
    from hcc_recurrence.networks.training import train

    torch.set_num_threads(asked.threads)
    phases, patients = ["arterial", "precontrast", "portal"], [f"P{i:03d}" for i in range(asked.patients)]
    generator = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "crops.npz")
        shape = (asked.patients, 3, 10, 224, 224)
        images = generator.random(shape, np.float32)
        masks = np.zeros((asked.patients, 10, 224, 224), np.uint8)
        np.savez(file, image=images, mask=masks, patients=np.array(patients), phases=np.array(phases))
        del images, masks
        labels = pd.DataFrame({"patient_id": patients, "er": np.arange(asked.patients) % 2})
        split = pd.DataFrame({"patient_id": patients, "split": "train", "fold_1": 1})
        started = time.monotonic()
        roles, examples = fit_examples(file, phases, labels, split, Fit(), 0.15, 0)
        _, examples = images_alone(roles, examples)
        reading = time.monotonic() - started
    settings = {"optimiser": "sgd", "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.0, "epochs": 1}
    settings |= {"batch": 32, "patience": 30, "class_weights": False, "augmentation": {"crop": 0.875}}
    settings |= {"schedule": "cosine", "choose": "accuracy"}
    fitted = examples.rows(FITTED)
    started = time.monotonic()
    for batch in fitted.split(32):
        augmented(examples.images[batch].to(asked.device), settings["augmentation"], torch.Generator().manual_seed(1))
    if asked.device == "cuda":
        torch.cuda.synchronize()
    batches = time.monotonic() - started
    network = build_network({"architecture": asked.architecture, "weights": ""}, 3, (10, 224, 224), True)
    started = time.monotonic()
    train(network, examples, settings, 1, device=asked.device)
    epoch = time.monotonic() - started
    size = f"{asked.patients} patients x 10 images ({len(fitted)} fitted, {len(examples.rows(INNER))} inner)"
    print(f"{asked.architecture} on {asked.device}, {asked.threads} threads, {size}")
    print(f"epoch with choosing batches, cropping and flipping: {epoch:.1f} s; these alone: {batches:.2f} s")
    print(f"reading all crops, once a training: {reading:.2f} s")
    first, later = (reading + batches) / (reading + epoch), batches / epoch
    print(f"getting images is {100 * first:.1f} % of a training of one epoch, {100 * later:.1f} % of each later one")


if __name__ == "__main__":
    main()
