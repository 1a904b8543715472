"""Pure functions and argument checks that every room shares."""

from keras_vae.ops.numerics import flat, float32, log_mean_exp, straight_through, sum_event
from keras_vae.ops.optional import require
from keras_vae.ops.registration import REGISTRY, Configured, export
from keras_vae.ops.schedules import cosine_schedule, cyclical_schedule, linear_schedule

__all__ = [
    "REGISTRY",
    "Configured",
    "cosine_schedule",
    "cyclical_schedule",
    "export",
    "flat",
    "float32",
    "linear_schedule",
    "log_mean_exp",
    "require",
    "straight_through",
    "sum_event",
]
