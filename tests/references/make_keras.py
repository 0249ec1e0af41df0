"""Write keras_cui.npz: activations of Cui's layers in Keras, from weights that the test makes again.

Run once with TensorFlow 2.21 (CPU) in an environment of its own: python make_keras.py
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

SHAPE = (10, 22, 22)
LAYERS = (
    ("conv1", 32, (3, 3, 3)),
    ("pool1", 0, (3, 3, 3)),
    ("conv2", 64, (3, 3, 3)),
    ("pool2", 0, (3, 3, 3)),
    ("conv3", 128, (3, 3, 3)),
    ("conv4", 128, (3, 3, 3)),
    ("pool3", 0, (3, 3, 3)),
    ("conv5", 256, (2, 3, 3)),
    ("conv6", 256, (2, 3, 3)),
    ("pool4", 0, (2, 3, 3)),
)


def weights(name: str, shape: tuple[int, ...]) -> np.ndarray:
    generator = np.random.default_rng([ord(c) for c in name])
    scale = 1 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.1
    return (generator.normal(size=shape) * scale).astype(np.float32)


# Negative values before a pool matter: padding with 0 instead of minus infinity would then be seen.
volume = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
x, inside, found = tf.constant(volume[None, ..., None]), 1, {}
for name, filters, kernel in LAYERS:
    if filters:
        layer = tf.keras.layers.Conv3D(filters, kernel, padding="same", activation="relu")
        layer.build((None, None, None, None, inside))
        # PyTorch: (out, in, z, y, x); Keras: (z, y, x, in, out).
        kernel_values = weights(name, (filters, inside, *kernel)).transpose(2, 3, 4, 1, 0)
        layer.set_weights([kernel_values, weights(f"{name} bias", (filters,))])
        inside = filters
    else:
        layer = tf.keras.layers.MaxPooling3D(kernel, strides=2, padding="same")
    x = layer(x)
    if not filters:
        found[name] = x.numpy()[0]
np.savez_compressed(Path(__file__).with_name("keras_cui.npz"), input=volume, shape=np.array(SHAPE), **found)
print({k: v.shape for k, v in found.items()}, tf.__version__)
