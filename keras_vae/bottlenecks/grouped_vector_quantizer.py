"""Grouped vector quantization: the features in groups, a codebook for each."""

import numpy as np
from keras import ops

from keras_vae.bottlenecks.several_codebooks import SeveralCodebooks, learned_from
from keras_vae.core.registration import registered
from keras_vae.training import check_values


@registered
class GroupedVectorQuantizer(SeveralCodebooks):
    """The features are cut into groups, one after the other, and each has a codebook: K^G vectors from G K rows.

    Also called product quantization (Jegou, Douze & Schmid 2011), which it is of learned features. Each codebook
    learns from its own group, with its own `metric` and `gradient`; the losses are sums over groups.

    Args:
        groups: sequence of Codebook, such as VectorQuantizerEMA, each a layer of its own, of one codebook_size; their
            embedding_dim together are the encoder's number of features.
        **kwargs: of keras.layers.Layer; the dtype is float32 always.

    Input shape:
        (batch, ..., D), features, D the sum of the groups' embedding_dim.

    Output shape:
        dict with "z": (batch, ..., D) float32; "indices": (batch, ..., G) int32 in [0, K); "commitment": (batch,), and
        where a codebook learns by gradient "codebook": (batch,), each summed over groups; and while training "parts",
        what the codebooks learn from.

    Raises:
        ValueError: if the groups are not alike, or the features are not as many as they take together.
        TypeError: if `groups` is no sequence of Codebook.

    Reference:
        Jegou, Douze & Schmid 2011, Product quantization for nearest neighbor search, IEEE TPAMI 33:117.

    Example:

    >>> import numpy as np, keras_vae
    >>> groups = [keras_vae.VectorQuantizer(codebook_size=8, embedding_dim=2) for _ in range(3)]
    >>> outputs = keras_vae.GroupedVectorQuantizer(groups)(np.zeros((2, 5, 5, 6), "float32"))
    >>> tuple(outputs["z"].shape), tuple(outputs["indices"].shape)
    ((2, 5, 5, 6), (2, 5, 5, 3))
    """

    fixed = ("parts",)
    argument = "groups"

    def __init__(self, groups, **kwargs):
        super().__init__(groups, **kwargs)
        ends = np.cumsum([group.embedding_dim for group in self.parts])
        self.embedding_dim = int(ends[-1])
        self.ends = [int(end) for end in ends]

    @property
    def groups(self):
        """The codebooks, in the order of their features."""
        return self.parts

    def build(self, input_shape):
        self.require_features(input_shape, "sum of embedding_dim", self.embedding_dim)
        for group in self.parts:
            if not group.built:
                group.build((*input_shape[:-1], group.embedding_dim))

    def call(self, h, training=False):
        parts = zip(self.parts, self._cut(ops.cast(h, "float32")), strict=True)
        found = [group(part, training=training) for group, part in parts]
        outputs = {
            "z": ops.concatenate([each["z"] for each in found], axis=-1),
            "indices": ops.stack([each["indices"] for each in found], axis=-1),
        }
        for name in ("commitment", *self.term_weights):
            outputs[name] = sum(each[name] for each in found if name in each)
        if training:
            outputs["parts"] = [learned_from(each) for each in found]
        return outputs

    def lookup(self, latents):
        return ops.concatenate([group.lookup(latents[..., i]) for i, group in enumerate(self.parts)], axis=-1)

    def adapt(self, features, method="k-means", seed=0):
        features = check_values("features", features)
        self.require_features(features.shape, "sum of embedding_dim", self.embedding_dim)
        for i, (group, part) in enumerate(zip(self.parts, self._cut(features), strict=True)):
            group.adapt(part, method, seed + i)

    def _cut(self, h):
        """(..., D) -> one part for each group."""
        return [h[..., end - group.embedding_dim : end] for group, end in zip(self.parts, self.ends, strict=True)]
