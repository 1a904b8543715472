"""The data of Keras's methods in the form that the backend reads fastest."""

from keras_vae._backend import fed


def fed_to_fit(given):
    """The arguments of `keras.Model.fit`, by name, with the data and the validation data as `_backend.fed` has them."""
    validation = given.get("validation_data")
    if validation is None and given.get("validation_split"):
        return given  # Keras divides the arrays first
    names = ("batch_size", "steps_per_epoch", "shuffle", "class_weight")
    given = _fed(given, **{name: given.get(name) for name in names})
    if validation is None:
        return given
    parts = validation if isinstance(validation, (tuple, list)) else (validation,)
    options = {
        "batch_size": given.get("validation_batch_size") or given.get("batch_size"),
        "steps_per_epoch": given.get("validation_steps"),
    }
    return {**given, "validation_data": tuple(fed(*parts, **options))}


def fed_once(given):
    """The arguments of `evaluate` or `predict`, likewise."""
    return _fed(given, batch_size=given.get("batch_size"), steps_per_epoch=given.get("steps"))


def _fed(given, **options):
    names = ("x", "y", "sample_weight")
    parts = fed(*(given.get(name) for name in names), **options)
    return given | {name: part for name, part in zip(names, parts, strict=True) if name in given}
