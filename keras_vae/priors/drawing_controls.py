"""What a user may tell a sampler, beside a seed and a condition: checked, and as arrays with a row for each draw."""

import numpy as np

from keras_vae.core.checks import in_closed_interval, integer, positive


def drawing_controls(prior, n, temperature=1.0, top_k=None, top_p=None, known=None, mask=None):
    """The arguments of `RasterPrior.sample` as inputs of its compiled sampler; what changes nothing is left out.

    Args:
        prior: a built prior with `likelihood`, `grid`, `data_shape` and `check_data`.
        n: int, draws.
        temperature, top_k, top_p, known, mask: as of `RasterPrior.sample`.

    Returns:
        dict of arrays (n, ...).
    """
    controls = {}
    if positive("temperature", temperature) != 1.0:
        controls["temperature"] = np.full(n, max(temperature, np.finfo("float32").tiny), "float32")
    if top_k is not None or top_p is not None:
        _check_classes(prior, "top_k" if top_k is not None else "top_p")
    if top_k is not None:
        controls["top_k"] = np.full(n, min(integer("top_k", top_k), np.iinfo("int32").max), "int32")
    if top_p is not None:
        controls["top_p"] = np.full(n, in_closed_interval("top_p", top_p, 0.0, 1.0), "float32")
    if (known is None) != (mask is None):
        given, missing = ("mask", "known") if known is None else ("known", "mask")
        raise ValueError(f"`{given}` needs `{missing}`: what is given, and where. Received: {missing}=None.")
    if known is not None:
        shape, data_shape = prior.data_shape, (n, *prior.data_shape)
        known = prior.check_data(for_all("known", known, n, shape, data_shape), "known")
        mask = np.asarray(mask)
        if mask.dtype.kind not in "biuf" or not np.isin(mask, (0, 1)).all():
            raise ValueError(
                "`mask` must be 1 where a position is known and 0 where it is drawn. Received: other values."
            )
        controls["known"] = known.astype(prior.input_dtype)
        controls["mask"] = for_all("mask", mask, n, prior.grid, (n, *prior.grid)).astype(bool)
    return controls


def _check_classes(prior, name):
    likelihood = prior.likelihood
    if not (likelihood.binary or hasattr(likelihood, "num_classes")):
        raise ValueError(f"`{name}` needs a likelihood of classes. Received: {type(likelihood).__name__}.")


def for_all(name, value, n, one, each):
    """`value` of shape `one`, the same for all draws, or of shape `each`: as the latter."""
    value = np.asarray(value)
    if value.shape not in (tuple(one), tuple(each)):
        raise ValueError(
            f"`{name}` must have shape {tuple(one)}, or {tuple(each)} with one for each draw. "
            f"Received: shape={value.shape}."
        )
    return np.broadcast_to(value, each)
