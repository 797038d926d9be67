"""Initial weights and data: the same numbers as lib/random.mjs, by name. Shapes are PyTorch's."""

import numpy as np


def key_of(name):
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def draw(name, shape):
    """Uniform float64 in [0, 1): element i is mulberry32's mix of (key + (i + 1) · step)."""
    count = int(np.prod(shape))
    word = np.arange(1, count + 1, dtype=np.uint32)
    word *= np.uint32(0x6D2B79F5)
    word += np.uint32(key_of(name))
    mixed = (word ^ (word >> 15)) * (word | 1)
    mixed ^= mixed + (mixed ^ (mixed >> 7)) * (mixed | 61)
    mixed ^= mixed >> 14
    return (mixed / 4294967296.0).reshape(shape)


def uniform(name, shape, low=-1.0, high=1.0):
    return (low + (high - low) * draw(name, shape)).astype(np.float32)


def weights(name, shape, fan_in):
    bound = 1 / np.sqrt(fan_in)
    return uniform(name, shape, -bound, bound)


def integers(name, shape, high):
    return np.floor(draw(name, shape) * high).astype(np.int64)
