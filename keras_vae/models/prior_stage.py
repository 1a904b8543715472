"""The second stage: a prior learned on the latents of a trained model."""

import contextlib
import pathlib

import keras

from keras_vae.core.checks import instance, integer
from keras_vae.core.locks import FolderLock
from keras_vae.core.registration import arguments
from keras_vae.datasets import ArrayBatches
from keras_vae.models.encoded_latents import encoded_latents
from keras_vae.models.parts import takes
from keras_vae.priors import Prior
from keras_vae.training import EarlyStop, fit_resumable


class PriorStage:
    """Mixin: `with_prior` and `fit_prior`."""

    def with_prior(self, prior):
        """A model like this one, on the same parts and weights, with another prior.

        The prior is trained by `fit_prior` alone: in `fit` of that model its weights stay. A conditional prior makes
        the model conditional, on what the prior is given.

        Args:
            prior: Prior over the latents, such as a `LearnedPrior`, or a `FittedMixture`.

        Returns:
            A built model of the same class, not compiled; `sample`, `rate` and what is served use the prior.

        Raises:
            TypeError: if `prior` is no Prior.
            ValueError: if this model is not built, or its own condition is another than the prior's.
        """
        self._require_built()
        instance("prior", prior, Prior)
        given = {name: _value(getattr(self, name)) for name in arguments(type(self)) if hasattr(self, name)}
        own = getattr(prior, "condition", None)
        if self.condition is not None and hasattr(prior, "condition"):
            if own is not None and own is not self.condition:
                raise ValueError(
                    "`prior` must leave `condition` to the model, which has one. Received: a prior with its own."
                )
            prior.condition = self.condition
        given.update(prior=prior, condition=None if own is not None else self.condition, dtype=self.dtype_policy)
        data = (None, *self.data_shape)
        try:
            model = type(self)(**given)
            model.build({"x": data} if model.extra_inputs else data)
        except Exception:
            if hasattr(prior, "condition"):
                prior.condition = own  # a prior that does not fit is handed back as it came
            raise
        # Not before it is built: on TensorFlow a variable that is made frozen is never watched for gradients again.
        relied_on = self._condition_of_the_nets()
        kept = relied_on is not None and relied_on.trainable
        prior.trainable = False
        if relied_on is not None:  # it is a part of the prior too
            relied_on.trainable = kept
        _copy_own_weights(self, model)
        return model

    def fit_prior(
        self,
        x,
        epochs=10,
        batch_size=128,
        optimizer="adam",
        validation_data=None,
        patience=None,
        folder=None,
        seed=0,
        verbose="auto",
        callbacks=(),
        condition=None,
    ):
        """Trains the prior alone on the latents of x, which are encoded once; the rest of the model stays as it is.

        A density that is fitted at once, `FittedGaussian` or `FittedMixture`, has no use for `epochs`, `batch_size`,
        `optimizer`, `patience` and `callbacks`.

        With `folder` each epoch leaves a checkpoint there, and the same call goes on from the last one. The latents
        stay there, too, in `latents`, and are read again as long as data and encoder are the same. Without, they are in
        memory, or beyond 1 GB in a temporary file.

        Args:
            x: array (n, *data_shape), or a dict with the further inputs; or a stream of such batches that has a length
                and can be read again, such as `ImageBatches`, of which one epoch is encoded, the present one.
            epochs: int >= 1. Default: 10.
            batch_size: int >= 1. Default: 128.
            optimizer: str or keras.optimizers.Optimizer. Default: "adam".
            validation_data: held-out data like `x`, or None. Default: None.
            patience: int >= 1, epochs without a lower `val_loss` after which it stops, with the best epoch's weights;
                it needs `validation_data`. None never stops. Default: None.
            folder: str or path for checkpoints, or None. Default: None.
            seed: int >= 0, of the order of the examples, and of draws of the posterior. Default: 0.
            verbose: as in `keras.Model.fit`. Default: "auto".
            callbacks: sequence of keras.callbacks.Callback. Default: ().
            condition: of x, for a conditional model; a stream has it in its batches. Default: None.

        Returns:
            keras.callbacks.History, of the prior's `loss`, `rate` and `bits_per_dim`.

        Raises:
            ValueError: for bad data, a prior that has nothing to learn, `patience` without `validation_data`, or
                `patience` and `callbacks` for a density that is fitted at once.
            TypeError: for data that is neither an array nor a stream with a length.
            BlockingIOError: if another process trains in `folder`.
        """
        self._require_built()
        if not hasattr(self.prior, "fit"):
            raise ValueError(
                f"`fit_prior` needs a prior that is learned, put on by `with_prior`. "
                f"Received: prior={type(self.prior).__name__}."
            )
        if self.prior.fits_at_once and (patience is not None or list(callbacks)):
            raise ValueError(
                "`patience` and `callbacks` must be left out for a density that is fitted at once, and not by epochs. "
                f"Received: a {type(self.prior).__name__}."
            )
        if patience is not None and validation_data is None:
            raise ValueError("`patience` needs `validation_data`. Received: validation_data=None.")
        if isinstance(validation_data, tuple) and len(validation_data) == 1:
            validation_data = validation_data[0]  # as Keras's own `fit` takes it
        seed = integer("seed", seed, low=0)
        epochs, batch_size, callbacks = integer("epochs", epochs), integer("batch_size", batch_size), list(callbacks)
        place = None if folder is None else pathlib.Path(folder)
        options = {"seed": seed, "verbose": verbose}
        with contextlib.ExitStack() as stack:
            if folder is not None:
                place.mkdir(parents=True, exist_ok=True)
                stack.enter_context(FolderLock(place))
            if patience is not None:
                stop = EarlyStop(integer("patience", patience), place and place / "best")
                epochs = min(epochs, stop.stopped_at() or epochs)
                callbacks.append(stop)
            latents = encoded_latents(self, x, condition, folder=place and place / "latents", **options)
            latents, held = stack.enter_context(latents), None
            if validation_data is not None:
                held = encoded_latents(self, validation_data, folder=place and place / "held_out_latents", **options)
                held = stack.enter_context(held)
            if self.prior.fits_at_once:
                return self.prior.fit(latents, validation_data=held)
            batches = ArrayBatches(latents, batch_size, seed=seed)
            held = None if held is None else ArrayBatches(held, batch_size, shuffle=False)
            stack.enter_context(self._prior_alone())
            self.prior.compile(keras.optimizers.get(optimizer))
            options = {"validation_data": held, "verbose": verbose, "callbacks": callbacks}
            if folder is None:
                return self.prior.fit(batches, epochs=epochs, shuffle=False, **options)
            return fit_resumable(self.prior, batches, epochs, place, resumed=True, **options)

    @contextlib.contextmanager
    def _prior_alone(self):
        """Within it the prior learns, and nothing that others rely on does."""
        relied_on = self._condition_of_the_nets()
        kept = relied_on is not None and relied_on.trainable
        self.prior.trainable = True
        try:
            if relied_on is not None:
                relied_on.trainable = False
            yield
        finally:
            self.prior.trainable = False
            if relied_on is not None:
                relied_on.trainable = kept

    def encoding_variables(self):
        """The weights that latents depend on: those of the encoder, the bottleneck, and a condition that nets see."""
        parts = [self.encoder, self.bottleneck, self._condition_of_the_nets()]
        variables = [variable for part in parts if part is not None for variable in part.variables]
        return [variable for variable in variables if keras.backend.is_float_dtype(variable.dtype)]

    def _condition_of_the_nets(self):
        """The condition where encoder or decoder sees it; None where it is the prior's alone, and learns with it."""
        seen = any(takes(part.call, "condition") for part in (self.encoder, self.decoder))
        return self.condition if seen else None


def _value(value):
    """A scheduled coefficient as the number that it is now; every other argument as it is."""
    return keras.ops.convert_to_numpy(value).item() if isinstance(value, keras.Variable) else value


def _copy_own_weights(model, copy):
    """What a model holds itself, and not in a part: counts, running means, steps."""
    parts = {id(variable) for variable in model.variables} & {id(variable) for variable in copy.variables}
    parts |= {id(variable) for variable in copy.prior.variables}  # the new one's own counts are not the model's
    own = {v.path.split("/", 1)[-1]: v for v in model.variables if id(v) not in parts}
    for variable in copy.variables:
        old = own.get(variable.path.split("/", 1)[-1])
        if id(variable) not in parts and old is not None and old.shape == variable.shape:
            variable.assign(keras.ops.convert_to_numpy(old.value))  # no shared buffer: JAX donates those of a step
