"""What differs by backend, on JAX."""

import contextlib
import itertools

import jax
import jax.numpy as jnp
import keras
from jax import lax
from jax.lax import digamma as digamma
from jax.lax import lgamma as lgamma
from jax.lax import random_gamma_grad as gamma_slope  # noqa: F401
from keras import ops
from keras.ops import jvp as jvp
from keras.ops import slice_update as write_slice  # noqa: F401
from keras.ops import vectorized_map as by_row  # noqa: F401

from keras_vae._backend.radix import kth_largest as kth_largest

CPU_ROWS = 128  # at a time: 128 distances x 8192 codes are 4 MB; 512 rows leave the cache and cost 1.25 times more
ACCELERATOR_ELEMENTS = 2**26  # a 256 MB block of distances: few steps of the loop, each large enough to fill the device
BLOCK = 64  # codes
JVP_COMPILES = True
SymbolicOnly = contextlib.nullcontext  # JAX traces in no other way


def nearest_codes(vectors, codebook):
    """Index of the row of `codebook` (k, d) nearest to each of `vectors` (n, d): (n,) int32, ties to the lowest."""
    vectors, codebook = lax.stop_gradient((vectors, codebook))
    n, k = vectors.shape[0], codebook.shape[0]
    # About the codes' mean: far from the origin ||e||^2 - 2 v.e would lose the digits that tell codes apart.
    centre = jnp.mean(codebook, 0)
    # Whole blocks, filled up with copies of the last code: a matmul may round its last rows differently, and then equal
    # codes would not tie.
    codes = jnp.pad(codebook - centre, ((0, -k % BLOCK), (0, 0)), mode="edge")
    norms = jnp.sum(jnp.square(codes), -1, keepdims=True)
    codes = jnp.concatenate([-2.0 * codes, norms], -1)  # times (v, 1) it is ||e||^2 - 2 v.e: one matmul, no second pass
    # Exact up to 2^24 codes, and quicker than int32. A copy that wins is the last code after all.
    positions = jnp.minimum(jnp.arange(codes.shape[0], dtype="float32"), k - 1.0)[:, None]

    def nearest(block):  # (rows, d) -> (rows,)
        block = jnp.concatenate([block - centre, jnp.ones_like(block[:, :1])], -1)
        distances = jnp.matmul(codes, block.T, precision=lax.Precision.HIGHEST)  # (k, rows)
        best = jnp.min(distances, 0)
        # XLA's argmin carries pairs and is not vectorised: 185 CPU ms for n=65536, k=512 against 48 for two minima.
        # A vector that is not a number equals no minimum and gets the last code, so that every index is valid.
        return jnp.min(jnp.where(distances <= best, positions, k - 1.0), 0).astype("int32")

    rows = CPU_ROWS if jax.default_backend() == "cpu" else max(CPU_ROWS, ACCELERATOR_ELEMENTS // k)
    if isinstance(n, int) and n <= rows:  # a symbolic n (export with a dynamic batch) always takes the loop
        return nearest(vectors)
    steps = -(-n // rows)
    # Step i takes vectors i, i + steps, i + 2 steps...: a batch split over devices stays split in every step.
    blocks = jnp.pad(vectors, ((0, rows * steps - n), (0, 0))).reshape(rows, steps, -1)
    indices = lax.map(lambda i: nearest(lax.dynamic_index_in_dim(blocks, i, 1, keepdims=False)), jnp.arange(steps))
    return indices.T.reshape(-1)[:n]


def code_statistics(vectors, indices, codebook_size, weights=None):
    """How many of `vectors` (n, d) have each code, (k,), and their sum, (k, d): float32, no gradient, no one-hot.

    With `weights` (n,) each vector counts that much.
    """
    vectors = lax.stop_gradient(vectors)
    vectors = vectors if weights is None else vectors * weights[:, None]
    weights = jnp.ones(vectors.shape[:1]) if weights is None else weights
    segment_sum = jax.ops.segment_sum
    return segment_sum(weights, indices, codebook_size), segment_sum(vectors, indices, codebook_size)


def compiled(model):
    """The call of a built model as a compiled function: a nest of arrays -> a nest of tensors, in any thread.

    Keras's own predict step donates the weights and assigns what comes back, so that a second thread finds them
    deleted. Here they are arguments, for what is assigned to them later to be seen, and only read.
    """

    def call(values, inputs):
        with keras.StatelessScope(list(zip(model.variables, values, strict=True))):
            return model(inputs)

    call = jax.jit(call) if model.jit_compile else call
    return lambda inputs: call([variable.value for variable in model.variables], inputs)


def compiled_gradients(layer, loss, x):
    """A compiled step of `loss(x)` without arguments; it returns the gradients to x and to trained weights of `layer`.

    What the step gives other variables is computed, and dropped.
    """

    def stateless(x, weights, state):
        variables = [*layer.trainable_variables, *layer.non_trainable_variables]
        with keras.StatelessScope(list(zip(variables, [*weights, *state], strict=True))) as scope:
            return loss(x), [scope.get_current_value(variable) for variable in layer.non_trainable_variables]

    step = jax.jit(jax.grad(stateless, argnums=(0, 1), has_aux=True))

    def run():
        values = ([v.value for v in part] for part in (layer.trainable_variables, layer.non_trainable_variables))
        (first, others), state = jax.block_until_ready(step(x, *values))
        return [first, *others]

    return run


def cross_replica_sum(value):
    """The sum of `value` over replicas. In JAX there is one global program, whose sums already span all devices."""
    return value


def fed(x, y=None, sample_weight=None, **options):
    """(x, y, sample_weight) for a method of Keras: as they are."""
    return x, y, sample_weight


def replica():
    """(index of this replica, number of replicas): one global program."""
    return 0, 1


def devices():
    """Into how many equal parts Keras splits each batch of this process: those of `keras.distribution`, 1 without."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return 1
    mesh = distribution.device_mesh
    parts = mesh.shape[mesh.axis_names.index(distribution.batch_dim_name)]
    return max(1, parts // jax.process_count())


def conv_transpose_same(inputs, kernel, strides):
    """Transposed convolution, padding "same", channels last, 1-D to 3-D; kernel (*sizes, out, in), as Keras has it.

    On CPU it is one small convolution per phase of the stride, their outputs interleaved, for XLA's gradient of a
    transposed convolution is slow there. Forward + backward of 8x8x128 -> 16x16x64, k = 4, batch 64: 334 CPU ms, and 37
    in this form; one convolution with every phase as channels takes 72, as more than half of its kernel is zeros.
    """
    if jax.default_backend() != "cpu":
        return ops.conv_transpose(inputs, kernel, strides, padding="same", data_format="channels_last")
    kernel = ops.convert_to_tensor(kernel)  # a Keras variable, which is not sliced as an array is
    rank, filters = len(strides), kernel.shape[-2]
    phases = [_phase(inputs, kernel, offsets, strides) for offsets in itertools.product(*map(range, strides))]
    outputs = jnp.stack(phases, -2).reshape(*inputs.shape[:-1], *strides, filters)
    interleaved = [axis for i in range(1, rank + 1) for axis in (i, i + rank)]  # a size, then its stride, and so on
    outputs = outputs.transpose(0, *interleaved, 2 * rank + 1)
    sizes = [size * stride for size, stride in zip(inputs.shape[1:-1], strides, strict=True)]
    return outputs.reshape(inputs.shape[0], *sizes, filters)


def _phase(inputs, kernel, offsets, strides):
    """The outputs at q * stride + offset, for every input position q: a convolution with the taps that reach them."""
    taps, padding = [], []
    for offset, stride, size in zip(offsets, strides, kernel.shape[:-2], strict=True):
        before = max(size - stride, 0) // 2  # what "same" cuts off in front: output = input * stride + tap - before
        first = (offset + before) % stride
        taps.append(slice(first, None, stride))
        ahead = (offset + before) // stride  # the first tap meets input q + ahead, the next one q + ahead - 1, ...
        padding.append((len(range(first, size, stride)) - 1 - ahead, ahead))
    rank = len(strides)
    kernel = jnp.flip(kernel[tuple(taps)], tuple(range(rank))).swapaxes(-1, -2)
    if 0 in kernel.shape:  # a kernel shorter than the stride leaves gaps
        return jnp.zeros((*inputs.shape[:-1], kernel.shape[-1]), inputs.dtype)
    spatial = "DHW"[-rank:]
    layout = (f"N{spatial}C", f"{spatial}IO", f"N{spatial}C")
    return lax.conv_general_dilated(inputs, kernel, (1,) * rank, padding, dimension_numbers=layout)


def step_unless_skipped(step, model, variables, state, data):
    """`step(state, data)`; where the loss scaler skipped it, `variables` are what they were.

    The scaler skips a step whose gradients overflowed, and lowers its scale: that is how a skipped one is told.
    """
    logs, (trainable, others, optimizer, metrics) = step(state, data)
    _, others_before, optimizer_before, _ = state
    scale = [v is model.optimizer.dynamic_scale for v in model.optimizer.variables].index(True)
    skipped = optimizer[scale] < optimizer_before[scale]
    kept = {id(variable) for variable in variables}
    rows = zip(model.non_trainable_variables, others_before, others, strict=True)
    others = [jnp.where(skipped, old, new) if id(variable) in kept else new for variable, old, new in rows]
    return logs, (trainable, others, optimizer, metrics)


def counted_loop(count, body, start):
    """`keras.ops.fori_loop` from 0 to a known number of passes, which can be differentiated."""
    return ops.fori_loop(0, count, body, start)
