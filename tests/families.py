"""One table of the families: how each is made, what SciPy calls it, and the parameters it is tried with.

`python tests/families.py` prints what each answers and its worst error on the running backend, in float32 against
SciPy in float64.
"""

import dataclasses
import functools
import itertools
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import ops  # noqa: E402
from scipy import special, stats  # noqa: E402

import harness  # noqa: E402
from keras_vae import distributions  # noqa: E402
from keras_vae.ops import draw_noise  # noqa: E402

LOCS, SCALES = (-3.0, 0.0, 1.5), (1e-6, 0.3, 1.0, 50.0)
SHAPES = (1e-3, 0.1, 0.7, 1.0, 2.5, 30.0, 1e4)
WIDTH = 512
QUANTILES = np.array([1e-3, 0.05, 0.3, 0.5, 0.8, 0.99])


class Kumaraswamy(stats.rv_continuous):
    """z^a is a Beta(1, b): SciPy has no such family."""

    def _argcheck(self, a, b):
        return (a > 0) & (b > 0)

    def _logpdf(self, x, a, b):
        return np.log(a) + (a - 1) * np.log(x) + stats.beta.logpdf(x**a, 1, b)

    def _pdf(self, x, a, b):
        return np.exp(self._logpdf(x, a, b))

    def _cdf(self, x, a, b):
        return stats.beta.cdf(x**a, 1, b)

    def _ppf(self, q, a, b):
        return stats.beta.ppf(q, 1, b) ** (1 / a)

    def _stats(self, a, b):
        first, second = (b * np.exp(special.betaln(1 + n / a, b)) for n in (1, 2))
        return first, second - first**2, None, None

    def _entropy(self, a, b):
        return (1 - 1 / b) + (1 - 1 / a) * (special.digamma(b + 1) + np.euler_gamma) - np.log(a * b)


kumaraswamy = Kumaraswamy(a=0.0, b=1.0, name="kumaraswamy")


@dataclasses.dataclass
class Case:
    """A family of independent dimensions.

    Attributes:
        frozen: function of the parameters -> SciPy's distribution.
        grid: dict, parameter -> values; tried in all combinations.
        usual: dict, parameter -> one value where all is regular: for moments, KS tests and gradients.
        other: dict, a second such point, for divergences.
        mode: function of the parameters -> the mode, or None where several are equally likely.
    """

    frozen: callable
    grid: dict
    usual: dict
    other: dict
    mode: callable

    def points(self):
        """name -> float64 array (1, points): the grid, rounded to float32."""
        rows = np.array(list(itertools.product(*self.grid.values()))).T.astype("float32").astype("float64")
        return {name: row[None] for name, row in zip(self.grid, rows, strict=True)}


def location_scale(frozen, mode=lambda loc, scale: loc, **others):
    grid = {"loc": LOCS, "scale": SCALES, **others.get("grid", {})}
    usual = {"loc": 0.5, "scale": 1.5, **others.get("usual", {})}
    other = {"loc": -0.4, "scale": 2.5, **others.get("other", {})}
    return Case(frozen, grid, usual, other, mode)


def triangle_of(loc, scale, peak):
    return stats.triang(peak, loc, scale)


def beta_mode(a, b):
    inside = (a > 1) | (b > 1)
    above = np.maximum(a - 1, 0), np.maximum(b - 1, 0)
    total = np.where(inside, above[0] + above[1], 1.0)
    return np.where(inside, above[0] / total, np.where(a < b, 0.0, np.where(a > b, 1.0, 0.5)))


def kumaraswamy_mode(a, b):
    inside = (a >= 1) & (b >= 1) & (a * b > 1)
    with np.errstate(all="ignore"):
        peak = ((a - 1) / (a * b - 1)) ** (1 / a)
    return np.where(inside, peak, np.where(a < b, 0.0, np.where(a > b, 1.0, 0.5)))


def weibull_mode(concentration, scale):
    k = np.maximum(concentration, 1.0)
    return scale * np.where(concentration > 1, ((k - 1) / k) ** (1 / k), 0.0)


CASES = {
    "Normal": Case(
        lambda mean, log_var: stats.norm(mean, np.exp(log_var / 2)),
        {"mean": LOCS, "log_var": (-27.0, -2.0, 0.0, 8.0)},
        {"mean": 0.5, "log_var": 0.8},
        {"mean": -0.4, "log_var": 1.5},
        lambda mean, log_var: mean,
    ),
    "Laplace": location_scale(stats.laplace),
    "Logistic": location_scale(stats.logistic),
    "Cauchy": location_scale(stats.cauchy),
    "Gumbel": location_scale(stats.gumbel_r),
    "Uniform": location_scale(stats.uniform, None, other={"loc": -2.0, "scale": 6.0}),
    "Triangular": location_scale(
        triangle_of,
        lambda loc, scale, peak: loc + scale * peak,
        grid={"peak": (1e-3, 0.3, 0.9)},
        usual={"peak": 0.3},
        other={"loc": -2.0, "scale": 7.0, "peak": 0.6},
    ),
    "StudentT": location_scale(
        lambda loc, scale, df: stats.t(df, loc, scale),
        lambda loc, scale, df: loc,
        grid={"df": (1e-3, 0.5, 1.0, 2.5, 30.0, 1e4)},
        usual={"df": 5.0},
        other={"df": 3.0},
    ),
    "Exponential": Case(
        lambda scale: stats.expon(0, scale),
        {"scale": SCALES},
        {"scale": 1.5},
        {"scale": 0.7},
        lambda scale: 0 * scale,
    ),
    "Weibull": Case(
        lambda concentration, scale: stats.weibull_min(concentration, 0, scale),
        {"concentration": (0.1, 0.7, 1.0, 2.5, 30.0, 1e4), "scale": SCALES},
        {"concentration": 1.7, "scale": 1.5},
        {"concentration": 1.2, "scale": 0.8},
        weibull_mode,
    ),
    "Kumaraswamy": Case(
        lambda a, b: kumaraswamy(a, b),
        {"a": (1e-3, 0.1, 0.7, 1.0, 2.5, 30.0), "b": (1e-3, 0.1, 0.7, 1.0, 2.5, 30.0)},
        {"a": 1.5, "b": 2.5},
        {"a": 1.2, "b": 0.8},
        kumaraswamy_mode,
    ),
    "LogNormal": Case(
        lambda loc, scale: stats.lognorm(scale, 0, np.exp(loc)),
        {"loc": LOCS, "scale": (1e-2, 0.3, 1.0, 5.0)},  # of a smaller one the rounding of log z is what is seen
        {"loc": 0.3, "scale": 0.6},
        {"loc": -0.2, "scale": 0.9},
        lambda loc, scale: np.exp(loc - scale**2),
    ),
    "Gamma": Case(
        lambda concentration, scale: stats.gamma(concentration, 0, scale),
        {"concentration": SHAPES, "scale": SCALES},
        {"concentration": 2.3, "scale": 1.5},
        {"concentration": 0.8, "scale": 2.0},
        lambda concentration, scale: np.maximum(concentration - 1, 0) * scale,
    ),
    "ChiSquared": Case(
        stats.chi2,
        {"df": SHAPES},
        {"df": 3.3},
        {"df": 5.0},
        lambda df: np.maximum(df - 2, 0),
    ),
    "Beta": Case(
        stats.beta,
        {"a": SHAPES, "b": SHAPES},
        {"a": 1.5, "b": 2.5},
        {"a": 0.7, "b": 1.8},
        beta_mode,
    ),
    "F": Case(
        lambda d1, d2: stats.f(d1, d2),
        {"d1": SHAPES, "d2": (1e-3, 0.7, 2.5, 5.0, 30.0, 1e4)},
        {"d1": 5.0, "d2": 9.0},
        {"d1": 3.0, "d2": 12.0},
        lambda d1, d2: np.maximum(d1 - 2, 0) / d1 * d2 / (d2 + 2),
    ),
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def made(name, parameters, rows=None):
    """A family at given parameters, arrays or numbers; numbers are repeated for so many rows of one dimension."""
    given = {
        key: np.full((rows, 1), value, "float32") if rows else np.asarray(value, "float32")
        for key, value in parameters.items()
    }
    return getattr(distributions, name)(**given)


@functools.cache
def _of_parameters(cls, names, what):
    return harness.compiled(lambda parameters, *given: what(cls(**dict(zip(names, parameters, strict=True))), *given))


def ask(q, what, *given):
    """what(q, *given), numpy: compiled in one piece on JAX, once for each size, where `what` is the same function."""
    return harness.numpy(_of_parameters(type(q), q.names, what)([getattr(q, name) for name in q.names], *given))


def gradients(function, *arrays, whole=False):
    """The gradients of the sum of `function` in each of the arrays, numpy.

    `whole` has JAX compile it in one piece: for operations that no other test has at this size.
    """
    leaves = [ops.convert_to_tensor(np.asarray(array, "float32")) for array in arrays]
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        gradient = jax.grad(lambda *given: ops.sum(function(*given)), tuple(range(len(leaves))))
        found = (jax.jit(gradient) if whole else gradient)(*leaves)
    elif backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(leaves)
            total = ops.sum(function(*leaves))
        found = tape.gradient(total, leaves, unconnected_gradients="zero")
    else:
        import torch

        leaves = [leaf.detach().requires_grad_() for leaf in leaves]
        total = ops.sum(function(*leaves))
        found = torch.autograd.grad(total, leaves, allow_unused=True)
        found = [torch.zeros_like(leaf) if one is None else one for one, leaf in zip(found, leaves, strict=True)]
    return [numpy(one) for one in found]


def drawn(q, shape, seed=0):
    """A draw of q, whose event has `shape` with the batch, from noise that is NumPy's."""
    noise = draw_noise(q.noise_spec(shape[1:]), np.random.default_rng(seed), shape[:1])
    return q.sample_from(noise)


def error(got, expected, scale=1.0):
    """The largest difference, relative to the expected value where it is above `scale`."""
    got, expected = np.asarray(got, "float64"), np.asarray(expected, "float64")
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))  # infinities and what does not exist
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(got - expected) / np.maximum(scale, np.abs(expected))
    return float(np.max(np.where(same, 0.0, np.nan_to_num(difference, nan=np.inf))))


def values_of(name):
    """(points, values): parameters (1, points) and those of their quantiles (quantiles, points) that float32 holds."""
    case = CASES[name]
    points = case.points()
    with np.errstate(all="ignore"):
        frozen = case.frozen(**points)
        values = frozen.ppf(QUANTILES[:, None]).astype("float32").astype("float64")
    low, high = getattr(distributions, name).support
    fits = (values > max(low, -1e30)) & (values < min(high, 1e30)) & (np.abs(values) > 1e-30)
    return points, np.where(fits, values, np.nan)


def wide(array):
    """(1, WIDTH): an array again and again. JAX compiles each operation for each shape, and so for one alone."""
    return np.resize(np.ravel(array), (1, WIDTH))


def on_grid(name, function):
    """What `function` of a family returns at all points of its grid, once each: (points,)."""
    points = CASES[name].points()
    got = numpy(function(made(name, {key: wide(value) for key, value in points.items()})))
    return got[0, : next(iter(points.values())).size]


def log_prob_error(name):
    """(worst error of log p, in nats, or relative where it is above one nat; number of values that were compared).

    Values are those of quantiles in float32, and the reference is taken there: 1 + 1e-6 n has few digits of n.
    """
    points, values = values_of(name)
    held = np.where(np.isnan(values), 0.5, values)
    spread = {key: wide(np.broadcast_to(value, values.shape)) for key, value in points.items()}
    got = numpy(made(name, spread).elementwise_log_prob(wide(held).astype("float32")))
    got = got[0, : values.size].reshape(values.shape)
    with np.errstate(all="ignore"):
        expected = CASES[name].frozen(**points).logpdf(held)
    usable = ~np.isnan(values) & np.isfinite(expected)
    return error(np.where(usable, got, 0.0), np.where(usable, expected, 0.0)), int(usable.sum())


def entropy_error(name):
    """Worst error of the entropy over the grid."""
    with np.errstate(all="ignore"):
        expected = np.ravel(CASES[name].frozen(**CASES[name].points()).entropy())
    return error(on_grid(name, lambda q: q.elementwise_entropy()), expected)


def mean_error(name):
    """Worst relative error of the mean over the grid, where it is in the range of float32."""
    with np.errstate(all="ignore"):
        expected = np.ravel(CASES[name].frozen(**CASES[name].points()).mean())
    known = np.isfinite(expected) & (np.abs(expected) < 1e38)
    return error(np.where(known, on_grid(name, lambda q: q.mean), 0.0), np.where(known, expected, 0.0), scale=1e-6)


def mode_error(name):
    """Worst relative error of the mode over the grid; None where several values are equally likely."""
    if CASES[name].mode is None:
        return None
    return error(on_grid(name, lambda q: q.mode), np.ravel(CASES[name].mode(**CASES[name].points())), scale=1e-6)


def ks(name, parameters, count=100_000, seed=0):
    """(Kolmogorov-Smirnov p-value, error of the mean in standard errors) of `count` draws."""
    z = numpy(drawn(made(name, parameters, count), (count, 1), seed))[:, 0].astype("float64")
    frozen = CASES[name].frozen(**parameters)
    away = (
        0.0 if not getattr(distributions, name).has_mean else abs(z.mean() - frozen.mean()) / frozen.std() * count**0.5
    )
    return stats.kstest(z, frozen.cdf).pvalue, away


def table():
    """Lines: each family, what it answers, and its worst errors."""
    yield f"{'family':<20}{'answers':<47}{'log_prob':>9}{'entropy':>9}{'mean':>9}{'mode':>9}{'KS p':>7}{'mean, se':>10}"
    for name, case in CASES.items():
        cls = getattr(distributions, name)
        answers = ["draw", "log p", "H", *(["mean", "var"] if cls.has_mean else []), "mode", "elementwise"]
        p, away = ks(name, case.usual)
        mean = f"{mean_error(name):9.0e}" if cls.has_mean else f"{'none':>9}"
        mode = mode_error(name)
        mode = f"{'any':>9}" if mode is None else f"{mode:9.0e}"
        log_p = log_prob_error(name)[0]
        row = (
            f"{name:<20}{', '.join(answers):<47}{log_p:9.0e}{entropy_error(name):9.0e}{mean}{mode}{p:7.2f}{away:10.1f}"
        )
        yield row


if __name__ == "__main__":
    print(f"{keras.backend.backend()}: worst error over a grid with extreme parameters, SciPy in float64")
    for line in table():
        print(line)
