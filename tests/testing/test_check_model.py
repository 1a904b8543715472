"""`check_model` passes models of every kind, each as far as it answers, and fails what breaks a law, with its name."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers, ops
from variants import AutoregressiveDecoder, CausalPrior, SequenceVAE, TwoLevels, code_vqvae

import harness
import keras_vae
from keras_vae import testing
from small_models import environment

RNG = np.random.default_rng(0)
X = RNG.integers(0, 2, (8, 4)).astype("float32")
CODES = RNG.integers(0, 5, (8, 3)).astype("int32")
LABELS = np.arange(8) % 3
MASK = (np.arange(6) < RNG.integers(2, 7, (8, 1))).astype("float32")
WAVES = {"x": RNG.normal(size=(8, 6, 2)).astype("float32"), "mask": MASK}


def nets():
    return keras_vae.MLPEncoder((6,), "tanh"), keras_vae.MLPDecoder((4,), ())


def vae(cls):
    return cls(
        *nets(), keras_vae.GaussianBottleneck(2), keras_vae.BernoulliLikelihood(), prior=keras_vae.StandardNormal()
    )


SOUND = {
    "prior without reconstruct": (lambda: CausalPrior(5, units=4), CODES),
    "conditional prior": (
        lambda: CausalPrior(5, units=4, condition=keras_vae.ClassCondition(3)),
        {"x": CODES, "condition": LABELS},
    ),
    "masked sequences": (
        lambda: SequenceVAE(
            layers.Dense(4, "tanh"), layers.Dense(2), 3, likelihood=keras_vae.GaussianLikelihood(stddev=0.3)
        ),
        WAVES,
    ),
    "codes by level": (lambda: code_vqvae(TwoLevels({"top": 4, "bottom": 8}, 2)), harness.images(8)),
    "decoder that draws": (lambda: keras_vae.VAE(nets()[0], AutoregressiveDecoder(4), 2), X),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_model_passes(name, tmp_path):
    make, x = SOUND[name]
    model = testing.check_model(make, x, tmp_path)
    assert int(harness.numpy(model.step.value)) == 3 and model.built


def test_it_imports_without_pytest_and_is_left_alone_by_the_package():
    code = "import sys; import keras_vae; assert 'keras_vae.testing' not in sys.modules; import keras_vae.testing; "
    code += "assert 'pytest' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(harness.BACKEND), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


# Broken on purpose: each is an autoencoder or a VAE with one mistake.


mistake = keras.saving.register_keras_serializable(package="mistakes")


@mistake
class Plain(keras_vae.Autoencoder):
    def terms(self, x, y, outputs, training):
        return self.total(super().terms(x, y, outputs, training), **({"rate": 1.0} if self.has_rate else {}))


@mistake
class CountsInEvaluation(Plain):
    def build(self, input_shape):
        super().build(input_shape)
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")

    def terms(self, x, y, outputs, training):
        self.seen.assign_add(1.0)
        return super().terms(x, y, outputs, training)


@mistake
class HasADeadWeight(Plain):
    def build(self, input_shape):
        super().build(input_shape)
        self.dead = self.add_weight(shape=(2,), initializer="ones", name="dead")

    def terms(self, x, y, outputs, training):
        terms = super().terms(x, y, outputs, training)
        return {**terms, "loss": terms["loss"] + 0.0 * ops.sum(ops.convert_to_tensor(self.dead))}


@mistake
class TakesTheMeanItself(Plain):
    def terms(self, x, y, outputs, training):
        return {name: ops.mean(term) for name, term in super().terms(x, y, outputs, training).items()}


@mistake
class KeepsAnAxis(Plain):
    def terms(self, x, y, outputs, training):
        return {name: term[:, None] for name, term in super().terms(x, y, outputs, training).items()}


@mistake
class ReturnsABatchMean(Plain):
    def call(self, x, training=False):
        return {**super().call(x, training), "centre": ops.mean(x)}


@mistake
class ComparesWithTheBatch(Plain):
    def terms(self, x, y, outputs, training):
        terms = super().terms(x, y, outputs, training)
        z = outputs["z"]
        spread = ops.sum(ops.square(z - ops.mean(z, axis=0)), axis=-1)
        return {**terms, "spread": spread, "loss": terms["loss"] + spread}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.track("spread")


@mistake
class Scaled(Plain):
    def __init__(self, encoder, decoder, scale=1.0, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.scale = scale


@mistake
class LosesAnArgument(Scaled):
    def get_config(self):
        config = super().get_config()
        del config["scale"]
        return config


@mistake
class SaysTheDefault(Scaled):
    def get_config(self):
        return {**super().get_config(), "scale": 1.0}


@mistake
class ReconstructsByChance(Plain):
    def reconstruct(self, x, **options):
        return super().reconstruct(x, **options) + np.random.default_rng().normal(size=x.shape)


@mistake
class ReconstructsOtherwise(Plain):
    def reconstruct(self, x, **options):
        return 2 * super().reconstruct(x, **options)


@mistake
class ReconstructsOverTheBatch(Plain):
    def reconstruct(self, x, **options):
        return super().reconstruct(x, **options) * np.arange(len(x))[:, None]


@mistake
class EncodesByChance(Plain):
    def encode(self, x, output="sample", seed=None, **options):
        return super().encode(x, "sample", seed, **options)


@mistake
class LearnsAFactorThatNoFileKeeps(Plain):
    factor = 1.0

    def terms(self, x, y, outputs, training):
        terms = super().terms(x, y, outputs, training)
        return {**terms, "loss": self.factor * terms["loss"]}


@mistake
class AnswersByAFactorThatNoFileKeeps(Plain):
    factor = 1.0

    def decode_params(self, z, training=False, **seen):
        return self.factor * super().decode_params(z, training, **seen)


@mistake
class SamplesTheSame(Plain):
    def sample(self, n=1, seed=None, **options):
        return super().sample(n, 0, **options)


@mistake
class SamplesOneOnly(Plain):
    def sample(self, n=1, seed=None, **options):
        return np.repeat(super().sample(1, seed, **options), n, axis=0)


@mistake
class SamplesByChance(Plain):
    def sample(self, n=1, seed=None, **options):
        return super().sample(n, None, **options)


@mistake
class ForgetsTheRateInItsElbo(Plain):
    def terms(self, x, y, outputs, training):
        terms = super().terms(x, y, outputs, training)
        return {**terms, "elbo": -terms["distortion"]}


@mistake
class MissesNatsOfItsRate(Plain):
    def rate(self, outputs):
        return super().rate(outputs) - 3.0


@mistake
class FallsWithTheSamples(Plain):
    def log_likelihood(self, x, num_samples=5000, **options):
        return super().log_likelihood(x, 1, **options) - np.log(num_samples)


@mistake
class ServesRowsTogether(Plain):
    def signatures(self):
        signatures = super().signatures()
        inner = signatures["encode"].function
        turned = {"encode": lambda **given: {k: v * ops.cumsum(ops.ones_like(v), 0) for k, v in inner(**given).items()}}
        return {name: type(s)(turned.get(name, s.function), s.inputs, s.draws) for name, s in signatures.items()}


@mistake
class LooksBehindTheEnd(keras_vae.PlainAutoencoder):
    masked = True

    def terms(self, x, y, outputs, training):
        terms = super().terms(x, y, outputs, training)
        return {**terms, "loss": terms["loss"] + ops.mean(ops.square(x), axis=(1, 2))}


class Unregistered(Plain):
    pass


def plain(cls, factor=None, **more):
    def make():
        model = cls(*nets(), **more)
        if factor is not None:
            model.factor = factor
        return model

    return make


BROKEN = {
    "assigns in evaluation": (plain(CountsInEvaluation), "`evaluate` changed weights: .*seen"),
    "a weight that never moves": (plain(HasADeadWeight), "left these trainable weights .*dead"),
    "a scalar term": (plain(TakesTheMeanItself), r"must be per example: .*term 'distortion'"),
    "a term with an axis too many": (plain(KeepsAnAxis), r"must be per example: .*\(4, 1\)"),
    "an output that is no example's": (plain(ReturnsABatchMean), "must be per example: .*output centre"),
    "a term of the batch": (plain(ComparesWithTheBatch), "spread .*depends on which examples share a batch"),
    "a lost argument": (plain(LosesAnArgument, scale=2.0), r"`get_config` of .* lacks \['scale'\]"),
    "an argument at its default": (plain(SaysTheDefault, scale=2.0), "scale=1.0, and the attribute is 2.0"),
    "no registration": (plain(Unregistered), "Unregistered is not registered"),
    "a random reconstruction": (plain(ReconstructsByChance), "`reconstruct` gives another image"),
    "a reconstruction that decode does not give": (plain(ReconstructsOtherwise), "is not `reconstruct"),
    "a reconstruction by place": (plain(ReconstructsOverTheBatch), "another answer at another place"),
    "another loss after loading": (plain(LearnsAFactorThatNoFileKeeps, factor=3.0), "next step .* has another loss"),
    "another answer after loading": (plain(AnswersByAFactorThatNoFileKeeps, factor=3.0), "answers otherwise"),
    "a random code": (lambda: vae(EncodesByChance), "`encode` gives other latents"),
    "a sample without its seed": (lambda: vae(SamplesByChance), "gives two samples for one seed"),
    "one sample for all seeds": (lambda: vae(SamplesTheSame), "the same samples for two seeds"),
    "one sample for all draws": (lambda: vae(SamplesOneOnly), "the same sample twice"),
    "an elbo that is none": (lambda: vae(ForgetsTheRateInItsElbo), r"`elbo` must be -\(distortion \+ rate\)"),
    "a rate that misses three nats": (lambda: vae(MissesNatsOfItsRate), "their means must be equal"),
    "a likelihood that falls": (lambda: vae(FallsWithTheSamples), "falls with the number of samples"),
    "a signature over its rows": (lambda: vae(ServesRowsTogether), "depends on the other rows of a request"),
    "what is behind the end": (
        lambda: LooksBehindTheEnd(layers.Dense(3), layers.Dense(2)),
        "loss .*behind the end of a sequence",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_model_fails(name, tmp_path):
    make, message = BROKEN[name]
    x = WAVES if name == "what is behind the end" else X
    with pytest.raises(AssertionError, match=message):
        testing.check_model(make, x, tmp_path)


def test_the_same_models_without_their_mistakes_pass(tmp_path):
    testing.check_model(plain(Scaled, scale=2.0), X, tmp_path)
    testing.check_model(lambda: vae(Plain), X)  # in a folder of its own


def test_statistics_of_the_batch_are_named(tmp_path):
    testing.check_model(plain(ComparesWithTheBatch), X, tmp_path, batch_terms=("spread",))


def test_a_conditional_model_must_ask_for_its_condition():
    prior = SOUND["conditional prior"][0]()
    prior.build({"x": (None, 3), "condition": (None,)})
    prior.step.assign(1)  # as if trained
    prior.host_condition = lambda condition, count: np.zeros(count, "int32") if condition is None else condition
    with pytest.raises(AssertionError, match="where no `condition` is given"):
        testing.check_sampling(prior, SOUND["conditional prior"][1])


def test_half_precision_weights_are_found():
    class Half(Plain):
        def build(self, input_shape):
            super().build(input_shape)
            self.half = self.add_weight(shape=(), trainable=False, dtype="bfloat16", name="half")

    with pytest.raises(AssertionError, match="are not float32: .*half"):
        testing.check_mixed_precision(lambda: Half(*nets()), X)
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("count", [2, 5])
def test_a_batch_that_cannot_be_halved_is_refused(count):
    harness.check_refuses(lambda: testing.check_model(plain(Plain), X[:count]), "an even number of examples")


def test_one_model_given_twice_is_refused():
    model = plain(Plain)()
    harness.check_refuses(lambda: testing.check_model(lambda: model, X), "`make` must give a new model each time")
