"""Pure functions of tensors that every room shares."""

from keras_vae.core.moved import moved
from keras_vae.ops.batch_mean import batch_mean
from keras_vae.ops.directions import rotate_through, unit
from keras_vae.ops.noise import Noise, draw_noise, noise_from_seeds, noise_of, open_uniform, random_noise
from keras_vae.ops.numerics import (
    clip_straight_through,
    compensated_sum,
    flat,
    flat_mask,
    float32,
    log_mean_exp,
    straight_through,
    sum_event,
)
from keras_vae.ops.resampling import resampled
from keras_vae.ops.schedules import cosine_schedule, cyclical_schedule, linear_schedule
from keras_vae.ops.selection import batch_top_k_mask, top_k_mask

__all__ = [
    "Noise",
    "batch_mean",
    "batch_top_k_mask",
    "clip_straight_through",
    "compensated_sum",
    "cosine_schedule",
    "cyclical_schedule",
    "draw_noise",
    "flat",
    "flat_mask",
    "float32",
    "linear_schedule",
    "log_mean_exp",
    "noise_from_seeds",
    "noise_of",
    "open_uniform",
    "random_noise",
    "resampled",
    "rotate_through",
    "straight_through",
    "sum_event",
    "top_k_mask",
    "unit",
]

__getattr__ = moved(
    __name__,
    {
        "REGISTRY": "keras_vae.core",
        "Configured": "keras_vae.core",
        "export": "keras_vae.core:registered",
        "require": "keras_vae.core",
        "hutchinson_squared_jacobian": "keras_vae.losses",
        "sigmoid_squared_jacobian": "keras_vae.losses",
        "squared_jacobian": "keras_vae.losses",
    },
)
