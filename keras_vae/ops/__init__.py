"""Pure functions and argument checks that every room shares."""

from keras_vae.ops.jacobian import hutchinson_squared_jacobian, sigmoid_squared_jacobian, squared_jacobian
from keras_vae.ops.numerics import (
    clip_straight_through,
    compensated_sum,
    flat,
    float32,
    log_mean_exp,
    straight_through,
    sum_event,
)
from keras_vae.ops.optional import require
from keras_vae.ops.registration import REGISTRY, Configured, export
from keras_vae.ops.schedules import cosine_schedule, cyclical_schedule, linear_schedule
from keras_vae.ops.selection import batch_top_k_mask, top_k_mask

__all__ = [
    "REGISTRY",
    "Configured",
    "batch_top_k_mask",
    "clip_straight_through",
    "compensated_sum",
    "cosine_schedule",
    "cyclical_schedule",
    "export",
    "flat",
    "float32",
    "hutchinson_squared_jacobian",
    "linear_schedule",
    "log_mean_exp",
    "require",
    "sigmoid_squared_jacobian",
    "squared_jacobian",
    "straight_through",
    "sum_event",
    "top_k_mask",
]
