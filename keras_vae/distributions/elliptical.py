"""The abstract elliptical family."""

from keras import ops

from keras_vae.distributions.parameter import REAL
from keras_vae.distributions.parametric import Parametric
from keras_vae.distributions.scales import FullScale, LowRankScale, scale_parameters
from keras_vae.ops.numerics import flat


class Elliptical(Parametric):
    """Abstract: vectors on the last axis whose density depends on (z - loc)^T (S S^T)^-1 (z - loc) alone.

    Its scale S is full, `scale_tril`, or of low rank with S S^T = diagonal^2 + factor factor^T. Vectors at several
    places are independent. A family says `log_radial(square)` and `radial_entropy()` of S = I, `spread`, by which S S^T
    is the covariance, and its draws.

    Args:
        loc: float tensor of shape (batch, ..., d), mean and mode.
        scale_tril: float tensor (batch, ..., d, d), lower triangular with a positive diagonal, or None. Default: None.
        diagonal: float tensor > 0 (batch, ..., d), or None. Default: None.
        factor: float tensor (batch, ..., d, rank), or None. Default: None.
        **others: further parameters of the family, one number for each vector.

    Raises:
        ValueError: unless there is either `scale_tril`, or both of `diagonal` and `factor`.
    """

    parameters = {"loc": REAL, **scale_parameters(None)}
    forms, joint = ("rank",), True

    def __init__(self, loc, scale_tril=None, diagonal=None, factor=None, **others):
        given = [name for name, value in _scale(scale_tril, diagonal, factor).items() if value is not None]
        if given not in (["scale_tril"], ["diagonal", "factor"]):
            raise ValueError(
                "`scale_tril` must be given, or both `diagonal` and `factor`. Received: " + (", ".join(given) or "none")
            )
        super().__init__(loc=loc, **_scale(scale_tril, diagonal, factor), **others)
        full = scale_tril is not None
        self.scale = FullScale(self.scale_tril) if full else LowRankScale(self.diagonal, self.factor)

    @classmethod
    def specification(cls, rank=None):
        parameters = {name: each for name, each in cls.parameters.items() if name != "scale_tril"}
        return {**parameters, **scale_parameters(rank)}

    def log_radial(self, square):
        """log p at loc = 0 and S = I of vectors whose squared length is given, (batch, ...)."""
        raise self._missing("log_prob")

    def radial_entropy(self):
        """The entropy at S = I, (batch, ...)."""
        raise self._missing("entropy")

    def elementwise_log_prob(self, value):
        """The share of each vector: (batch, vectors)."""
        columns = ops.expand_dims(ops.cast(ops.convert_to_tensor(value), "float32") - self.loc, -1)
        log_density = self.log_radial(self.scale.squares(columns)[..., 0]) - self.scale.log_det()
        return flat(ops.expand_dims(log_density, -1))

    def elementwise_entropy(self):
        """The share of each vector: (batch, vectors)."""
        return flat(ops.expand_dims(self.radial_entropy() + self.scale.log_det(), -1))

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        """Of each dimension: the diagonal of the covariance."""
        return self.spread * ops.sum(ops.square(self.scale.root), axis=-1)


def _scale(scale_tril, diagonal, factor):
    return {"scale_tril": scale_tril, "diagonal": diagonal, "factor": factor}
