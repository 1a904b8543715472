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
        known = prior.check_data(_for_all("known", known, n, shape, data_shape), "known")
        mask = np.asarray(mask)
        if mask.dtype.kind not in "biuf" or not np.isin(mask, (0, 1)).all():
            raise ValueError(
                "`mask` must be 1 where a position is known and 0 where it is drawn. Received: other values."
            )
        controls["known"] = known.astype(prior.input_dtype)
        controls["mask"] = _for_all("mask", mask, n, prior.grid, (n, *prior.grid)).astype(bool)
    return controls


def controls_by_level(prior, n, given=None, **controls):
    """The arguments of `HierarchicalPrior.sample` as inputs of its compiled sampler; what changes nothing is left out.

    Args:
        prior: a built prior with `priors`, a dict of those of its levels, the top one first, and `data_shape`.
        n: int, draws.
        given: dict of codes of the uppermost levels, or None. Default: None.
        **controls: what the priors of the levels take, a value for all or a dict by level.

    Returns:
        dict of "given", arrays (n, ...) by level, and "controls", by level a dict of arrays (n, ...).
    """
    names = list(prior.priors)
    kept = _kept(prior, n, {} if given is None else given)
    for control, value in controls.items():
        if control in ("known", "mask") and value is not None and not isinstance(value, dict):
            raise TypeError(f"`{control}` must be a dict by level. Received: a {type(value).__name__}.")
        for level in set(value if isinstance(value, dict) else ()) - set(names):
            raise ValueError(f"`{control}` must be by level, of {names}. Received: {level!r}.")
    chosen = {}
    for name in names[len(kept) :]:
        own = {control: value for control, value in controls.items() if not isinstance(value, dict)}
        own.update((control, v[name]) for control, v in controls.items() if isinstance(v, dict) and name in v)
        chosen[name] = prior.priors[name].drawing_controls(n, **own)
    found = {"given": kept, "controls": {name: own for name, own in chosen.items() if own}}
    return {name: part for name, part in found.items() if part}


def _kept(prior, n, given):
    """Checked codes of the levels that stay as they are: the uppermost ones, on which the others depend."""
    names = list(prior.priors)
    if not isinstance(given, dict) or set(given) != set(names[: len(given)]) or len(given) == len(names):
        got = sorted(given) if isinstance(given, dict) else type(given).__name__
        raise ValueError(
            f"`given` must be a dict with the uppermost of the levels {names}, so that one at least is drawn. "
            f"Received: {got}."
        )
    kept = {}
    for name, codes in given.items():
        shape, label = prior.data_shape[name], f"given[{name!r}]"
        codes = _for_all(label, codes, n, shape, (n, *shape))
        kept[name] = prior.priors[name].check_data(codes, label).astype("int32")
    return kept


def _check_classes(prior, name):
    likelihood = prior.likelihood
    if not (likelihood.binary or hasattr(likelihood, "num_classes")):
        raise ValueError(f"`{name}` needs a likelihood of classes. Received: {type(likelihood).__name__}.")


def _for_all(name, value, n, one, each):
    """`value` of shape `one`, the same for all draws, or of shape `each`: as the latter."""
    value = np.asarray(value)
    if value.shape not in (tuple(one), tuple(each)):
        raise ValueError(
            f"`{name}` must have shape {tuple(one)}, or {tuple(each)} with one for each draw. "
            f"Received: shape={value.shape}."
        )
    return np.broadcast_to(value, each)
