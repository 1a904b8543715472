"""What the units of a code do over many examples: dead, saturated, how active."""

import numpy as np

from keras_vae.core.checks import in_open_interval, non_negative
from keras_vae.metrics.arrays import finite_array

SHAPE = "(batch, ...units)"


def dead_units(h, threshold=0.0):
    """Share of units that stay at or below `threshold` in absolute value for every example.

    Args:
        h: array (batch, ...), activations of many examples, as `model.encode(x)` gives.
        threshold: float >= 0. Default: 0.0.

    Returns:
        float in [0, 1].

    Raises:
        ValueError: for no example, NaN or infinite values.

    Example:
        >>> dead_units([[0.0, 1.0], [0.0, 0.0]])
        0.5
    """
    h = finite_array("h", h, SHAPE)
    return float((np.abs(h).max(axis=0) <= non_negative("threshold", threshold)).mean())


def saturation(h, edge=0.05):
    """Share of sigmoid activations below `edge` or above 1 - `edge`: there the slope is almost zero.

    Args:
        h: array (batch, ...), activations in [0, 1].
        edge: float in (0, 0.5). Default: 0.05, as in the paper.

    Returns:
        float in [0, 1].

    Raises:
        ValueError: for no example, values outside [0, 1], NaN.

    Reference:
        Rifai et al. 2011, Contractive Auto-Encoders, ICML, section 5.3.

    Example:
        >>> saturation([[0.01, 0.5], [0.99, 0.97]])
        0.75
    """
    h, edge = finite_array("h", h, SHAPE), in_open_interval("edge", edge, 0.0, 0.5)
    if h.min() < 0 or h.max() > 1:
        raise ValueError(f"`h` must be in [0, 1]. Received: values from {h.min():g} to {h.max():g}.")
    return float(((h < edge) | (h > 1 - edge)).mean())
