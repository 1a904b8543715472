"""What differs by backend, on TensorFlow."""

import contextlib
import functools

import tensorflow as tf
from keras import ops
from keras.ops import jvp as jvp
from keras.ops import slice_update as write_slice  # noqa: F401
from keras.ops import vectorized_map as by_row  # noqa: F401

from keras_vae._backend.radix import kth_largest as kth_largest
from keras_vae._backend.stateful_step import step_unless_skipped as step_unless_skipped
from keras_vae._backend.tensorflow_data import fed as fed

ELEMENTS = {"CPU": 2**21, "GPU": 2**26}  # of a block of distances: 8 MB near the cache; 256 MB to fill a device
BLOCK = 64  # codes
JVP_COMPILES = False  # under XLA a jvp across a bias is compiled anew at every step (TensorFlow 2.21)
digamma, lgamma = tf.math.digamma, tf.math.lgamma
SymbolicOnly = contextlib.nullcontext  # TensorFlow traces in no other way


def nearest_codes(vectors, codebook):
    """Index of the row of `codebook` (k, d) nearest to each of `vectors` (n, d): (n,) int32, ties to the lowest."""
    vectors, codebook = tf.stop_gradient(vectors), tf.stop_gradient(codebook)
    k = codebook.shape[0]
    # About the codes' mean: far from the origin ||e||^2 - 2 v.e would lose the digits that tell codes apart.
    centre = tf.reduce_mean(codebook, 0)
    codebook = codebook - centre
    # Whole blocks, filled up with copies of the last code: a copy that wins by a rounding error is that code after all.
    last = tf.repeat(codebook[-1:], -k % BLOCK, axis=0)
    codes = tf.concat([codebook, last], 0)
    # Times (v, 1) it is ||e||^2 - 2 v.e: one matmul, no second pass over the distances.
    codes = tf.concat([-2.0 * codes, tf.reduce_sum(tf.square(codes), -1, keepdims=True)], -1)

    device = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    rounds = device == "GPU" and tf.config.experimental.tensor_float_32_execution_enabled()
    product = product_in_three if rounds else tf.linalg.matmul

    def nearest(rows):  # (rows, d) -> (rows,)
        rows = tf.concat([rows - centre, tf.ones_like(rows[:, :1])], -1)
        distances = tf.reshape(product(rows, codes, transpose_b=True), (-1, codes.shape[0] // BLOCK, BLOCK))
        # The best block first, for a minimum is vectorised and an argmin is not. n=65536, k=8192, CPU ms: 745 against
        # 842 with one argmin, under XLA 820 against 1292; the matmul alone is 670.
        block = tf.argmin(tf.reduce_min(distances, -1), -1, tf.int32)
        inside = tf.argmin(tf.gather(distances, block, batch_dims=1), -1, tf.int32)
        return tf.minimum(block * BLOCK + inside, k - 1)

    n = tf.shape(vectors)[0]
    rows = tf.clip_by_value(ELEMENTS[device] // k, 1, tf.maximum(n, 1))
    steps = -(-n // rows)
    blocks = tf.reshape(tf.pad(vectors, [[0, rows * steps - n], [0, 0]]), (steps, rows, vectors.shape[-1]))
    indices = tf.map_fn(nearest, blocks, parallel_iterations=1, fn_output_signature=tf.int32)
    return tf.ensure_shape(tf.reshape(indices, (-1,))[:n], vectors.shape[:1])


def product_in_three(a, b, transpose_b=False):
    """a b from three products that each survive TensorFlow's default on GPUs, TF32, which keeps 11 bits of a factor.

    With one such product a code in a hundred would be another than on JAX and torch. Each factor is split in two parts
    of at most 13 bits; the product of the two small ones, 2^-22 of the whole, is left out.
    """
    (high, low), (b_high, b_low) = _split(a), _split(b)
    small = tf.matmul(high, b_low, transpose_b=transpose_b) + tf.matmul(low, b_high, transpose_b=transpose_b)
    return tf.matmul(high, b_high, transpose_b=transpose_b) + small


def _split(x):
    """(the upper 11 bits of each number, the rest): their sum is x exactly."""
    high = tf.bitcast(tf.bitwise.bitwise_and(tf.bitcast(x, tf.int32), ~0x1FFF), tf.float32)
    return high, x - high


def code_statistics(vectors, indices, codebook_size, weights=None):
    """How many of `vectors` (n, d) have each code, (k,), and their sum, (k, d): float32, no gradient, no one-hot.

    With `weights` (n,) each vector counts that much.
    """
    vectors = tf.stop_gradient(vectors)
    vectors = vectors if weights is None else vectors * weights[:, None]
    weights = tf.ones_like(vectors[:, 0]) if weights is None else weights
    segment_sum = tf.math.unsorted_segment_sum
    return segment_sum(weights, indices, codebook_size), segment_sum(vectors, indices, codebook_size)


def compiled(model):
    """The call of a built model as a compiled function: a nest of arrays -> a nest of tensors, in any thread."""
    # TensorFlow counts traces by a function's code, and warns of a fifth: a partial has none, and is counted alone.
    jit = model.jit_compile or None
    return tf.function(functools.partial(model), autograph=False, reduce_retracing=True, jit_compile=jit)


def compiled_gradients(layer, loss, x):
    """A compiled step of `loss(x)` without arguments; it returns the gradients to x and to trained weights of `layer`.

    What the step gives other variables is computed, and assigned.
    """

    def gradients():
        return tf.gradients(loss(x), [x, *(variable.value for variable in layer.trainable_variables)])

    return tf.function(functools.partial(gradients), autograph=False)  # a partial: see `compiled`


def cross_replica_sum(value):
    """The sum of `value` over the replicas of a tf.distribute strategy; `value` itself where there is one."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return value
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)


def replica():
    """(index of this replica, number of replicas) under a tf.distribute strategy; (0, 1) outside of one."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return 0, 1
    return context.replica_id_in_sync_group, context.num_replicas_in_sync


def devices():
    """Into how many equal parts a batch must be divisible: tf.distribute splits any, and tells each replica its own."""
    return 1


def conv_transpose_same(inputs, kernel, strides):
    """Transposed convolution, padding "same", channels last, 1-D to 3-D; kernel (*sizes, out, in), as Keras has it."""
    return ops.conv_transpose(inputs, kernel, strides, padding="same", data_format="channels_last")


def gamma_slope(concentration, z):
    """dz/da of a draw z of Gamma(a, 1) at a fixed quantile, by implicit differentiation; of the same shape."""
    return tf.raw_ops.RandomGammaGrad(alpha=concentration, sample=z)


def _softsign_grad(op, upstream):
    """The gradients of d / (1 + |x|)^2, which TensorFlow 2.21 lacks, in d and in x."""
    slope, x = op.inputs
    outer = 1.0 + tf.abs(x)
    return upstream / tf.square(outer), -2.0 * upstream * slope * tf.sign(x) / (outer * tf.square(outer))


with contextlib.suppress(KeyError):  # a release that brings it
    tf.RegisterGradient("SoftsignGrad")(_softsign_grad)


def counted_loop(count, body, start):
    """`keras.ops.fori_loop` from 0 to a known number of passes: XLA differentiates a loop only where it is told."""

    def step(i, value):
        return i + 1, body(i, value)

    return tf.while_loop(lambda i, value: i < count, step, (0, start), maximum_iterations=count)[1]
