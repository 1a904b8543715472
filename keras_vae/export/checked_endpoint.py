"""What a client sends is checked in the graph itself: a bad request gets an error, not a wrong answer or a crash."""

from keras_vae.core.optional import require


def checked_endpoint(function, spec, interval=None, whole=False, reason=""):
    """A tf.function that refuses what the live model refuses, and hands on the rest to `function`.

    Args:
        function: a tf.function of one tensor.
        spec: `keras.InputSpec` of that tensor; its name is the one that clients and errors use.
        interval: (low, high) that the values must lie in, or None. Default: None.
        whole: bool, whether every value must be a whole number. Default: False.
        reason: str, who asks for the interval ("BernoulliLikelihood"). Default: "".

    Returns:
        A tf.function of a tensor of that spec. Called with another shape, without any row, with NaN or infinity, or
        with values out of range, it raises `tf.errors.InvalidArgumentError`, which names the input and says what is
        accepted.
    """
    tf = require("tensorflow", "tensorflow", "Exporting a SavedModel")
    name = spec.name

    def endpoint(values):
        def passed(values, condition, accepted, *received):
            message = [f"`{name}` must {accepted}. Received:", *received]
            with tf.control_dependencies([tf.debugging.Assert(condition, message)]):
                return tf.identity(values)  # nothing downstream starts before the check has passed

        # Servers do not compare a request with the declared shape, and TensorFlow drops checks of what was declared: at
        # a wrong rank oneDNN then aborts the process. Behind such a placeholder the shape counts as unknown.
        values = tf.compat.v1.placeholder_with_default(values, shape=None, name=name)
        values = tf.ensure_shape(values, spec.shape)
        values = passed(values, tf.shape(values)[0] > 0, "hold at least one row", "none")
        if values.dtype.is_floating:
            finite = tf.math.is_finite(values)
            values = passed(values, tf.reduce_all(finite), "be finite", "NaN or infinity")
        if whole:
            values = passed(
                values, tf.reduce_all(tf.equal(values, tf.round(values))), "hold whole numbers", "fractions"
            )
        if interval is not None:
            low, high = tf.reduce_min(values), tf.reduce_max(values)
            inside = tf.logical_and(low >= interval[0], high <= interval[1])
            accepted = f"be in [{interval[0]:g}, {interval[1]:g}]" + (f" for {reason}" if reason else "")
            values = passed(values, inside, accepted, "values from", low, "to", high)
        return function(values)

    signature = [tf.TensorSpec(spec.shape, spec.dtype, name)]
    return tf.function(endpoint, input_signature=signature, autograph=False)
