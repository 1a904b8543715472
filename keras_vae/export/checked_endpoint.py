"""What a client sends is checked in the graph itself: a bad request gets an error, not a wrong answer or a crash."""

from keras_vae.core.optional import require


def checked_endpoint(function, specs, limits):
    """A tf.function that refuses what the live model refuses, and hands on the rest to `function`.

    Args:
        function: a tf.function of tensors, by position.
        specs: list of `keras.InputSpec`, of each; their names are those that clients and errors use.
        limits: list of dicts, of each: "interval", (low, high) that the values must lie in, or None; "whole", whether
            every value must be a whole number; "reason", who asks for the interval ("BernoulliLikelihood").

    Returns:
        A tf.function of tensors of those specs. Called with another shape, without any row, with different numbers of
        rows, with NaN or infinity, or with values out of range, it raises `tf.errors.InvalidArgumentError`, which names
        the input and says what is accepted.
    """
    tf = require("tensorflow", "tensorflow", "Exporting a SavedModel")

    def endpoint(*given):
        checked = [
            _checked(tf, values, spec, **limit) for values, spec, limit in zip(given, specs, limits, strict=True)
        ]
        rows = tf.shape(checked[0])[0]
        for i, spec in enumerate(specs[1:], start=1):
            message = [f"`{spec.name}` must have as many rows as `{specs[0].name}`. Received:", tf.shape(checked[i])[0]]
            with tf.control_dependencies([tf.debugging.Assert(tf.shape(checked[i])[0] == rows, message)]):
                checked[i] = tf.identity(checked[i])
        return function(*checked)

    signature = [tf.TensorSpec(spec.shape, spec.dtype, spec.name) for spec in specs]
    return tf.function(endpoint, input_signature=signature, autograph=False)


def _checked(tf, values, spec, interval=None, whole=False, reason=""):
    """`values`, behind checks that nothing downstream starts before."""
    name = spec.name

    def passed(values, condition, accepted, *received):
        message = [f"`{name}` must {accepted}. Received:", *received]
        with tf.control_dependencies([tf.debugging.Assert(condition, message)]):
            return tf.identity(values)

    # Servers do not compare a request with the declared shape, and TensorFlow drops checks of what was declared: at a
    # wrong rank oneDNN then aborts the process. Behind such a placeholder the shape counts as unknown.
    values = tf.compat.v1.placeholder_with_default(values, shape=None, name=name)
    values = tf.ensure_shape(values, spec.shape)
    values = passed(values, tf.shape(values)[0] > 0, "hold at least one row", "none")
    if values.dtype.is_floating:
        values = passed(values, tf.reduce_all(tf.math.is_finite(values)), "be finite", "NaN or infinity")
    if whole:
        values = passed(values, tf.reduce_all(tf.equal(values, tf.round(values))), "hold whole numbers", "fractions")
    if interval is not None:
        low, high = tf.reduce_min(values), tf.reduce_max(values)
        inside = tf.logical_and(low >= interval[0], high <= interval[1])
        accepted = f"be in [{interval[0]:g}, {interval[1]:g}]" + (f" for {reason}" if reason else "")
        values = passed(values, inside, accepted, "values from", low, "to", high)
    return values
