"""What differs by backend, on torch."""

import threading

import torch
from keras import ops
from torch import digamma as digamma
from torch import lgamma as lgamma
from torch.overrides import TorchFunctionMode

from keras_vae._backend.stateful_step import step_unless_skipped as step_unless_skipped
from keras_vae._backend.torch_symbolic import SymbolicOnly as SymbolicOnly

ELEMENTS = {"cpu": 2**20}  # of a block of distances: 4 MB, near the cache
ACCELERATOR_ELEMENTS = 2**26  # 256 MB: few steps, each large enough to fill the device
BLOCK = 64  # codes
JVP_COMPILES = True
forward_mode = threading.RLock()


def nearest_codes(vectors, codebook):
    """Index of the row of `codebook` (k, d) nearest to each of `vectors` (n, d): (n,) int32, ties to the lowest."""
    vectors, codebook = vectors.detach(), codebook.detach()  # from both modes of differentiation: they refuse `out=`
    n, k = vectors.shape[0], codebook.shape[0]
    # About the codes' mean: far from the origin ||e||^2 - 2 v.e would lose the digits that tell codes apart.
    centre = codebook.mean(0)
    codebook = codebook - centre
    if torch.compiler.is_compiling() or torch.jit.is_tracing():  # a loop would freeze n into what is written
        distances = torch.addmm(codebook.square().sum(-1), vectors - centre, codebook.t(), alpha=-2)
        return distances.argmin(-1).to(torch.int32)
    # Whole blocks, filled up with copies of the last code: a copy that wins by a rounding error is that code after all.
    codes = torch.cat([codebook, codebook[-1:].expand(-k % BLOCK, -1)])
    norms, codes = codes.square().sum(-1), (-2.0 * codes).t()
    rows = max(1, min(n, ELEMENTS.get(vectors.device.type, ACCELERATOR_ELEMENTS) // k))
    # For all steps: the pages of fresh ones can cost a matmul more.
    buffer, about_centre = vectors.new_empty(rows, codes.shape[1]), vectors.new_empty(rows, vectors.shape[1])
    indices = torch.empty(n, dtype=torch.int32, device=vectors.device)
    for start in range(0, n, rows):
        block = vectors[start : start + rows]
        block = torch.sub(block, centre, out=about_centre[: len(block)])
        distances = torch.addmm(norms, block, codes, out=buffer[: len(block)]).view(len(block), -1, BLOCK)
        # The best block of codes first, for a minimum is vectorised and an argmin is not: n=65536, k=8192 takes 880
        # CPU ms against 1200 with one argmin; the matmul alone is 810.
        best = distances.amin(-1).argmin(-1)
        inside = distances.gather(1, best[:, None, None].expand(-1, 1, BLOCK))[:, 0].argmin(-1)
        indices[start : start + rows] = best * BLOCK + inside
    return indices.clamp_(max=k - 1)


def code_statistics(vectors, indices, codebook_size, weights=None):
    """How many of `vectors` (n, d) have each code, (k,), and their sum, (k, d): float32, no gradient, no one-hot.

    With `weights` (n,) each vector counts that much.
    """
    vectors = vectors.detach()
    vectors = vectors if weights is None else vectors * weights[:, None]
    weights = vectors.new_ones(len(vectors)) if weights is None else weights
    # index_add_ moves whole rows: 1.8 CPU ms for 65536 x 64, against 78 for keras.ops.segment_sum on torch.
    counts = torch.zeros(codebook_size, device=vectors.device).index_add_(0, indices, weights)
    sums = vectors.new_zeros(codebook_size, vectors.shape[-1])
    return counts, sums.index_add_(0, indices, vectors)


def compiled(model):
    """The call of a built model without gradients: a nest of arrays -> a nest of tensors, in any number of threads."""
    return torch.no_grad()(lambda inputs: model(inputs))


def compiled_gradients(layer, loss, x):
    """A step of `loss(x)` without arguments; it returns the gradients to x and to trained weights of `layer`.

    What the step gives other variables is computed, and assigned.
    """

    x = x.detach().requires_grad_()
    return lambda: torch.autograd.grad(loss(x), [x, *(variable.value for variable in layer.trainable_variables)])


def by_row(function, rows):
    """`function` of each row of a tensor, stacked. Where it draws noise from the row, torch's own `vmap` does not."""
    return torch.stack([function(row) for row in rows])


def jvp(function, primals, tangents):
    """(function(*primals), its derivative along `tangents`), one thread at a time."""
    # torch counts the levels of forward differentiation for the whole process, not by thread.
    with forward_mode, _Elementary():
        return ops.jvp(function, primals, tangents)


def cross_replica_sum(value):
    """The sum of `value` over the processes of torch.distributed; `value` itself where there is one. No gradient."""
    if replica()[1] == 1:
        return value
    total = value.detach().clone()
    torch.distributed.all_reduce(total)
    return total


def fed(x, y=None, sample_weight=None, **options):
    """(x, y, sample_weight) for a method of Keras: as they are."""
    return x, y, sample_weight


def replica():
    """(index of this process, number of processes) of torch.distributed; (0, 1) where it is not initialised."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return 0, 1
    return torch.distributed.get_rank(), torch.distributed.get_world_size()


def devices():
    """Into how many equal parts a batch must be divisible: Keras trains on one device."""
    return 1


def conv_transpose_same(inputs, kernel, strides):
    """Transposed convolution, padding "same", channels last, 1-D to 3-D; kernel (*sizes, out, in), as Keras has it."""
    return ops.conv_transpose(inputs, kernel, strides, padding="same", data_format="channels_last")


def kth_largest(key, k):
    """The k-th largest int32 of the last axis, (..., 1); k is an int or a scalar tensor."""
    k = 1 if key.is_meta else int(k)  # a symbolic trace has no value for a tensor, and the shape is the same for all
    return torch.topk(key, k, dim=-1).values[..., -1:]


def write_slice(values, start, update):
    """`values` with `update` from `start` on, in their own memory: `keras.ops.slice_update` copies them first."""
    values[tuple(slice(at, at + size) for at, size in zip(start, update.shape, strict=True))] = update
    return values


def gamma_slope(concentration, z):
    """dz/da of a draw z of Gamma(a, 1) at a fixed quantile, by implicit differentiation; of the same shape."""
    # A symbolic trace, on torch's "meta" device, has no kernel for it and needs none.
    return torch.empty_like(z) if z.is_meta else torch._standard_gamma_grad(concentration, z)


def _glu(x, dim=-1):
    linear, gate = x.chunk(2, dim)
    return linear * torch.sigmoid(gate)


def _hardsigmoid(x, inplace=False):
    return torch.nn.functional.relu6(x + 3.0) / 6.0


class _Elementary(TorchFunctionMode):
    """Writes out the activations whose derivatives torch 2.13 cannot differentiate."""

    forms = {torch.nn.functional.glu: _glu, torch.nn.functional.hardsigmoid: _hardsigmoid}

    def __torch_function__(self, function, types, args=(), kwargs=None):
        return self.forms.get(function, function)(*args, **(kwargs or {}))


def counted_loop(count, body, start):
    """`keras.ops.fori_loop` from 0 to a known number of passes, which can be differentiated."""
    return ops.fori_loop(0, count, body, start)
