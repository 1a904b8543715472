"""Which levels each example of a training step keeps: what lets the first ones make sense alone."""

import math

import keras
from keras import ops

from keras_vae.core.checks import in_closed_interval, integer, seed_or_none
from keras_vae.layers import ReplicaSeedGenerator


class LevelDropout:
    """Mixin of a quantizer of `levels`: an example keeps its first n alone with probability `dropout`.

    n is drawn evenly from 1 to the number of levels (Zeghidour et al. 2021, arXiv:2107.03312, section III-C). The share
    may be scheduled, by assignment or with `callbacks.CoefficientSchedule("bottleneck.dropout", schedule)`, down to
    zero and up again, but not from zero at the start: steps that are compiled without draws would have none.
    """

    def start_dropout(self, dropout, seed):
        """Sets the attributes `dropout` and `seed`, those of the layer's arguments."""
        self.drops = in_closed_interval("dropout", dropout, 0.0, 1.0) > 0
        self.dropout = self.scalar("dropout", dropout, self._check_dropout)
        self.seed = seed_or_none("seed", seed)
        self.seed_generator = ReplicaSeedGenerator(seed)

    def _check_dropout(self, name, value):
        value = in_closed_interval(name, value, 0.0, 1.0)
        if value > 0 and not self.drops:
            raise ValueError(f"`{name}` must be more than 0 from the start to be changed. Received: {name}={value}.")
        return value

    def draw_kept(self, h, training):
        """{"kept": float32 (batch, levels), ones and then zeros} while training with dropout, and {} else.

        Args:
            h: tensor (batch, ...), features.
            training: bool.
        """
        if not (training and self.drops):
            return {}
        fewer, where = ops.split(keras.random.uniform((ops.shape(h)[0], 2), seed=self.seed_generator), 2, axis=-1)
        count = len(self.levels)
        kept = ops.where(fewer < self.dropout, ops.floor(where * count) + 1.0, float(count))
        return {"kept": ops.cast(ops.arange(count, dtype="float32") < kept, "float32")}

    def weights_of(self, i, outputs):
        """{"sample_weight"} of level i's update, (batch,), or nothing where all examples count alike."""
        weights = [outputs["sample_weight"]] if "sample_weight" in outputs else []
        weights += [outputs["kept"][:, i]] if "kept" in outputs else []
        return {"sample_weight": math.prod(weights)} if weights else {}


def of_examples(weights, values):
    """`weights` (batch,) in as many axes as `values` (batch, ...) have."""
    return ops.reshape(weights, (-1, *(1,) * (len(values.shape) - 1)))


def number_of_levels(levels, count):
    """`levels`, an int from 1 to `count`, or `count` where it is None."""
    if levels is not None and integer("levels", levels) > count:
        raise ValueError(f"`levels` must be in [1, {count}]. Received: levels={levels}.")
    return count if levels is None else int(levels)
