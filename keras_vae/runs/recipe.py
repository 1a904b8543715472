"""A recipe at work: its options, its folder, its seed, its training and what it publishes."""

from pathlib import Path

import keras

from keras_vae.presets import save_pretrained
from keras_vae.reports.curves import curves as draw_curves
from keras_vae.runs.recipe_arguments import recipe_arguments
from keras_vae.runs.run_folder import RunFolder
from keras_vae.training import fit_resumable


class Recipe(RunFolder):
    """The run of a recipe: reads the command line, opens `<runs>/<name>/` and seeds everything that Keras draws.

    A recipe begins with `run = Recipe(__doc__, __file__)`, trains with `fit`, writes what it has found by
    `save_metrics`, `save_image` and `publish`, and ends with `finish`, which prints the table.

    Args:
        description: str, the recipe's docstring, shown by `--help`.
        file: str or Path of the recipe; its name without `.py` is that of the run, where `--name` gives no other.
        argv: list of str, or None for the command line. Default: None.
        policy: bool, whether the recipe can train under another dtype policy, and has `--policy`. Default: False.

    Raises:
        ValueError: as `RunFolder`.
        BlockingIOError: as `RunFolder`.

    Example:
        >>> import tempfile
        >>> run = Recipe("A recipe.", "recipes/vae_mnist.py", ["--smoke", "--seed", "3", "--runs", tempfile.mkdtemp()])
        >>> run.name, run.seed, run.pick(default=50, full=300, smoke=1)
        ('vae_mnist', 3, 1)
    """

    def __init__(self, description, file, argv=None, policy=False):
        args = recipe_arguments(description, argv, policy)
        self.file = Path(file)
        self.full, self.smoke, self.pick = args.full, args.smoke, args.pick
        self.seed = args.seed
        self.policy = getattr(args, "policy", "float32")
        super().__init__(args.name or self.file.stem, root=args.runs, resumed=args.resume)
        keras.utils.set_random_seed(self.seed)

    def in_policy(self, make):
        """What `make` makes, twice: under the dtype policy asked for, to be trained; in float32, to be measured.

        Args:
            make: function without arguments that returns a built model.

        Returns:
            (the one to be trained, the one that then takes its weights).
        """
        keras.mixed_precision.set_dtype_policy(self.policy)
        try:
            trained = make()
        finally:
            keras.mixed_precision.set_dtype_policy("float32")
        return trained, make()

    def fit(self, model, batches, epochs, part="", curves=True, **options):
        """`fit_resumable` with checkpoints in the run's folder, gone on from with `--resume`; draws the curves.

        Args:
            model: keras.Model, built and compiled.
            batches: seeded stream of `keras_vae.datasets`.
            epochs: int >= 1, of the whole run.
            part: str, which of the models of this run it is, where there are several. Default: "", the only one.
            curves: bool, whether to draw what was logged to `pictures/curves.png`, or `curves_<part>.png`, where there
                was an epoch to do. Default: True.
            **options: of `fit_resumable` and `keras.Model.fit`.

        Returns:
            keras.callbacks.History, of the epochs of this call.
        """
        history = fit_resumable(model, batches, epochs, self.checkpoint / part, self.resumed, **options)
        if curves and history.epoch:
            draw_curves(history, self.pictures / ("_".join(filter(None, ("curves", part))) + ".png"))
        return history

    def publish(self, model, metrics, part="", **facts):
        """Writes the model as a preset to `<run>/model/`, with the recipe's name and the seed.

        Args:
            model: a built model of keras_vae.
            metrics: dict, what was measured of it.
            part: str, the name of the preset, in a folder `<run>/model/<part>/`, of a run that has several. Default:
                "", the only one.
            **facts: of `save_pretrained`: `dataset`, `licence`, `description`, `limits`, `preview`.

        Returns:
            `pathlib.Path` of the preset.
        """
        recipe = f"recipes/{self.file.name}"
        return save_pretrained(model, self.model / part, recipe=recipe, seed=self.seed, metrics=metrics, **facts)
