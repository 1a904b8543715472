"""The command line that every recipe has."""

import argparse
import logging


def recipe_arguments(description, argv=None, policy=False):
    """Reads a recipe's options: how long a run, where it goes, and whether it goes on from a checkpoint.

    Args:
        description: str, the recipe's docstring, shown by `--help`.
        argv: list of str, or None for the command line. Default: None.
        policy: bool, whether the recipe can train under another dtype policy, and has `--policy`. Default: False.

    Returns:
        argparse.Namespace with `full`, `smoke`, `resume` (bool), `seed` (int), `runs` (str), `name` (str or
        None), and `pick(default, full, smoke)`, which returns the value that belongs to the form of the run.

    Example:

    >>> from keras_vae.runs import recipe_arguments
    >>> args = recipe_arguments("A recipe.", ["--smoke"])
    >>> args.pick(default=50, full=300, smoke=1), args.seed
    (1, 0)
    """
    # TensorFlow's advice on retracing: a recipe trains many models with the same code, each of which is traced.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--full", action="store_true", help="the paper's schedule; see the header for hardware and time")
    form.add_argument("--smoke", action="store_true", help="a few steps on a little data, to see that everything runs")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint of this run")
    parser.add_argument("--seed", type=int, default=0, help="of weights, data order and noise (default: 0)")
    if policy:
        parser.add_argument(
            "--policy",
            default="float32",
            choices=("float32", "mixed_bfloat16", "mixed_float16"),
            help="dtype policy of the training, for hardware that has the narrow types; figures are of float32 always",
        )
    parser.add_argument("--name", default=None, help="name of the run's folder (default: the recipe's name)")
    parser.add_argument("--runs", default="runs", help="folder of all runs (default: runs)")
    args = parser.parse_args(argv)
    args.pick = lambda default, full, smoke: full if args.full else smoke if args.smoke else default
    return args
