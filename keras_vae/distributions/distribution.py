"""The abstract distribution: what every family answers."""


class Distribution:
    """A distribution over events, held as tensors: sample, log-density, mean, mode and entropy.

    Every quantity is per example: a family sums its log-density over the event, so that `log_prob` has shape (batch,).
    Noise can be passed in, which makes a draw the same on every backend.
    """

    noise = "normal"  # the kind of noise that `sample_from` takes: "normal" or "uniform" in [0, 1)

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
    def mode(self):
        raise self._missing("mode")

    def entropy(self):
        """Entropy in nats, summed over the event: (batch,)."""
        raise self._missing("entropy")

    def repeat(self, n):
        """The distribution with each example repeated `n` times along the first axis: n draws for each."""
        raise self._missing("repeat")

    def _missing(self, name):
        return TypeError(f"`{name}` is not defined for {type(self).__name__}.")
