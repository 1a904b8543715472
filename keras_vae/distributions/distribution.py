"""The abstract distribution: what every family answers."""

import math

from keras_vae.ops.noise import noise_of


class Distribution:
    """A distribution over events, held as tensors: sample, log-density, mean, mode and entropy.

    Every quantity is per example: a family sums its log-density over the event, so that `log_prob` has shape (batch,).
    Noise can be passed in, which makes a draw the same on every backend.
    """

    parameters = {}  # name -> Parameter, in the order of the constructor: what a network has to say of it
    forms = ()  # names of options that tell forms of the family apart, which have other parameters
    support = (-math.inf, math.inf)  # outside of this its density is zero whatever the parameters
    open_ends = True  # whether the density may be infinite, or zero, at a finite end of the support
    joint = False  # whether the last axis is one variable, with one share in `log_prob`
    binary = False  # whether its values are zeros and ones, the mean the probability of one
    has_mean = True  # False where the mean does not exist
    has_score = True  # False where the density ends abruptly at ends that move, of which the score says nothing
    noise = "normal"  # the kind that `sample_from` takes, "normal" or "uniform" in [0, 1), or None for a point mass

    @classmethod
    def specification(cls, **forms):
        """name -> `Parameter` of one form of the family, in the order in which a network predicts them.

        Args:
            **forms: the options of `cls.forms` that were given, such as the rank of a scale.
        """
        return cls.parameters

    def noise_spec(self, shape):
        """What `sample_from` takes for events of `shape`: a `keras_vae.ops.Noise`, a nest of them, or None.

        A family that takes one kind of noise, in the shape of its event, sets the class attribute `noise` instead.
        """
        return noise_of(self.noise, shape)

    def sample_from(self, noise):
        """The draw that belongs to `noise`, of the shape of the event; differentiable where the family allows it."""
        raise self._missing("sample_from")

    def sample(self, seed=None):
        """One draw per example, with the shape of the parameters."""
        raise self._missing("sample")

    def log_prob(self, value):
        """log p(value), nats, summed over the event: (batch,)."""
        raise self._missing("log_prob")

    def elementwise_log_prob(self, value):
        """The share of each dimension in log p(value), nats, (batch, values); where dimensions are independent."""
        raise self._missing("elementwise_log_prob")

    @property
    def mean(self):
        raise self._missing("mean")

    @property
    def variance(self):
        raise self._missing("variance")

    @property
    def mode(self):
        raise self._missing("mode")

    def pairwise_log_prob(self, value):
        """log p_j(value_i) of every value under every member, nats: (values, batch), as a mixture needs them."""
        raise self._missing("pairwise_log_prob")

    def entropy(self):
        """Entropy in nats, summed over the event: (batch,)."""
        raise self._missing("entropy")

    def elementwise_entropy(self):
        """The share of each dimension in the entropy, nats, (batch, values); where dimensions are independent."""
        raise self._missing("elementwise_entropy")

    def served(self):
        """Parameters that a client of a served model sees beside the mode: name -> tensor. Default: none."""
        return {}

    def tempered(self, temperature):
        """The distribution sharpened or flattened: of discrete variables p^(1 / temperature), renormalised.

        Args:
            temperature: float > 0, or a float tensor (batch,): below one what is likely becomes likelier.

        Raises:
            TypeError: where the family has no such thing.
            ValueError: if a number is not > 0; tensors are not looked into.
        """
        raise self._missing("tempered")

    def truncated(self, top_k=None, top_p=None):
        """The distribution of the most likely classes of each variable alone, renormalised.

        Of equally likely classes the lower one counts as likelier. With both limits a class must be within each. The
        most likely class is always kept.

        Args:
            top_k: int >= 1, or an int32 tensor (batch,): only so many classes. Default: None, all.
            top_p: float in [0, 1], or a float tensor (batch,): the fewest classes whose probabilities add up to it, the
                nucleus of Holtzman et al. 2020 (arXiv:1904.09751). Default: None, all.

        Raises:
            TypeError: where the family has no such thing.
            ValueError: if a number is out of its range; tensors are not looked into.
        """
        raise self._missing("truncated")

    def repeat(self, n):
        """The distribution with each example repeated `n` times along the first axis: n draws for each."""
        raise self._missing("repeat")

    def _missing(self, name):
        return TypeError(f"`{name}` is not defined for {type(self).__name__}.")
