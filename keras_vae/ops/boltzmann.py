"""A restricted Boltzmann machine of binary units z = (a, b): p(z) = exp(-E) / Z, E = -a^T W b - c^T a - d^T b.

`couplings` is W, (left, right), and `biases` c and d in one vector. Units of one side are independent given the other
side: of one of them every sum is a product.
"""

from keras import ops

from keras_vae import _backend


def energy(z, couplings, biases):
    """E(z), (batch,), nats; of means of independent units it is the mean of E, for E is linear in each of them.

    Args:
        z: float tensor (batch, left + right).
        couplings: float tensor (left, right).
        biases: float tensor (left + right,).

    Returns:
        Float tensor (batch,).
    """
    a, b = _sides(z, couplings)
    return -ops.sum(ops.matmul(a, couplings) * b, axis=-1) - ops.sum(z * biases, axis=-1)


def log_marginal(b, couplings, biases):
    """log sum_a exp(-E(a, b)) = d^T b + sum_i softplus(c_i + (W b)_i), (batch,).

    Args:
        b: float tensor (batch, right), zeros and ones.
        couplings: float tensor (left, right).
        biases: float tensor (left + right,).

    Returns:
        Float tensor (batch,).
    """
    c, d = _sides(biases, couplings)
    return ops.sum(b * d, axis=-1) + ops.sum(ops.softplus(ops.matmul(b, ops.transpose(couplings)) + c), axis=-1)


def log_partition(couplings, biases):
    """log Z, exactly: the sum over the 2^k states of the smaller side, the other one summed in closed form.

    Args:
        couplings: float tensor (left, right).
        biases: float tensor (left + right,).

    Returns:
        Scalar tensor, nats.
    """
    left, right = couplings.shape
    if left < right:
        c, d = _sides(biases, couplings)
        couplings, biases = ops.transpose(couplings), ops.concatenate([d, c])
    return ops.logsumexp(log_marginal(_all_states(min(left, right)), couplings, biases))


def sweep(b, uniforms, couplings, biases):
    """One sweep of block Gibbs sampling: a ~ p(a|b), then b ~ p(b|a).

    Args:
        b: float tensor (batch, right).
        uniforms: float tensor (batch, left + right), in [0, 1).
        couplings: float tensor (left, right).
        biases: float tensor (left + right,).

    Returns:
        (a, b), float tensors of zeros and ones.
    """
    (c, d), (u, v) = (_sides(each, couplings) for each in (biases, uniforms))
    a = ops.cast(u < ops.sigmoid(ops.matmul(b, ops.transpose(couplings)) + c), b.dtype)
    return a, ops.cast(v < ops.sigmoid(ops.matmul(a, couplings) + d), b.dtype)


def gibbs(b, noise, couplings, biases):
    """z after as many sweeps as there is noise for, from b on.

    Args:
        b: float tensor (batch, right): units, or their means.
        noise: float tensor (batch, sweeps, left + right), uniforms in [0, 1).
        couplings: float tensor (left, right).
        biases: float tensor (left + right,).

    Returns:
        z: float tensor (batch, left + right), zeros and ones.
    """

    def body(i, state):
        return sweep(state[1], ops.take(noise, i, axis=1), couplings, biases)

    start = (ops.zeros_like(noise[:, 0, : couplings.shape[0]]), b)
    return ops.concatenate(_backend.counted_loop(noise.shape[1], body, start), axis=-1)


def anneal(b, noise, levels, base, couplings, biases):
    """A stretch of annealed importance sampling: from the machine at the first level to that at the last.

    The machine at level t has couplings t W and biases (1 - t) base + t biases: independent units at zero, the machine
    itself at one. From each level to the next the weight of b is multiplied by the ratio of the two unnormalised
    marginals at b, and then b is moved by a sweep of the next one.

    Args:
        b: float tensor (batch, right), of the machine at the first level.
        noise: float tensor (batch, steps, left + right), uniforms in [0, 1).
        levels: float tensor (steps + 1,), rising.
        base: float tensor (left + right,), the biases at level zero.
        couplings: float tensor (left, right).
        biases: float tensor (left + right,).

    Returns:
        (b, logarithm of its weight): float tensors (batch, right) and (batch,).

    Reference:
        Neal 2001, Annealed importance sampling. Salakhutdinov & Murray 2008, On the quantitative analysis of deep
        belief networks.
    """

    def machine(i):
        level = ops.take(levels, i, axis=0)
        return level * couplings, base + level * (biases - base)

    def body(i, state):
        b, log_weight = state
        now, after = machine(i), machine(i + 1)
        log_weight = log_weight + log_marginal(b, *after) - log_marginal(b, *now)
        return sweep(b, ops.take(noise, i, axis=1), *after)[1], log_weight

    return _backend.counted_loop(noise.shape[1], body, (b, ops.zeros_like(b[:, 0])))


def _sides(z, couplings):
    left = couplings.shape[0]
    return z[..., :left], z[..., left:]


def _all_states(n):
    """Every state of n binary units, (2^n, n)."""
    numbers = ops.expand_dims(ops.arange(2**n, dtype="int32"), -1)
    return ops.cast(ops.bitwise_and(ops.right_shift(numbers, ops.arange(n, dtype="int32")), 1), "float32")
