"""The arguments of every command, and only that: nothing here or in `entry` imports Keras or NumPy."""

import argparse
import difflib

COMMANDS = {  # name -> the function that carries it out, imported when it is called, and what it does
    "list": ("keras_vae.cli.describe:list_presets", "list the presets that came with the library"),
    "info": ("keras_vae.cli.describe:info", "verify a preset, and show all that is known of it"),
    "sample": ("keras_vae.cli.draw:sample", "draw images from the model's prior"),
    "reconstruct": ("keras_vae.cli.draw:reconstruct", "encode and decode images, and show both"),
    "traverse": ("keras_vae.cli.draw:traverse", "show what each latent dimension does to an image"),
    "encode": ("keras_vae.cli.encode:encode", "write the latents of images"),
    "decode": ("keras_vae.cli.encode:decode", "make images of latents"),
    "neighbours": ("keras_vae.cli.neighbours:neighbours", "find the images nearest to one in latent space"),
    "evaluate": ("keras_vae.cli.evaluation:evaluate", "measure a model on images"),
    "export": (
        "keras_vae.cli.serving:export",
        "write a SavedModel for TF-Serving: serving_default, encode, decode, sample",
    ),
}
NAME = "a preset (see `keras-vae list`), a run (runs/<recipe>), a preset's folder, https:// or hf://"
IMAGES = "PNG, JPEG, WebP or BMP files, folders of them, .npy or .npz arrays"
DESCRIPTION = "Trained autoencoders from the terminal: look at them, use them, measure them, serve them."
EPILOG = """examples:
  keras-vae sample vae_mnist -n 64 -o digits.png
  keras-vae reconstruct runs/vqvae_celeba faces/ -o faces.png
  keras-vae evaluate vae_mnist --data mnist:test --num-samples 100
The backend is that of KERAS_BACKEND, or the first one installed."""


def parse(argv):
    """The parsed arguments; `run` is the command's function as "module:name". Leaves by SystemExit as argparse does.

    Args:
        argv: list of str.
    """
    parser = _Parser(prog="keras-vae", description=_description(), epilog=EPILOG, formatter_class=_Formatter)
    parser.add_argument("--version", action="store_true", help="say which keras_vae, Keras and backend, and leave")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error, and every warning")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", help="one of the above")
    _describing(commands)
    _drawing(commands)
    _latents(commands)
    _evaluation(commands)
    command = next((word for word in argv if not word.startswith("-")), None)
    if command is not None and command not in COMMANDS:
        close = difflib.get_close_matches(command, COMMANDS, n=1, cutoff=0.5)
        hint = f"Did you mean {close[0]!r}?" if close else f"The commands are {', '.join(COMMANDS)}."
        parser.error(f"there is no command {command!r}. {hint}")
    args = parser.parse_args(argv)
    if args.version:
        args.command = "version"
        args.run = "keras_vae.cli.describe:version"
    elif args.command is None:
        parser.error(f"a command is needed: {', '.join(COMMANDS)}")
    else:
        args.run, _ = COMMANDS[args.command]
    return args


class _Formatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    def _get_help_string(self, action):
        # "(default: None)" and "(default: False)" tell nobody anything.
        silent = action.default is None or action.default is False
        return action.help if silent else super()._get_help_string(action)


class _Parser(argparse.ArgumentParser):
    """Errors in one line, in the form of every other error of the command."""

    def error(self, message):
        self.exit(2, f"keras-vae: error: {message} (help: {self.prog} --help)\n")


def _description():
    lines = [f"  {name:<12} {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join([DESCRIPTION, "", "commands:", *lines])


def _command(commands, name):
    text = COMMANDS[name][1]
    parser = commands.add_parser(name, description=text[0].upper() + text[1:] + ".", formatter_class=_Formatter)
    # SUPPRESS: absent here, it must not overwrite the `--debug` that stood before the command
    parser.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error"
    )
    return parser


def _model_command(commands, name):
    parser = _command(commands, name)
    parser.add_argument("name", metavar="NAME", help=NAME)
    return parser


def _output(parser, default, kinds):
    parser.add_argument("-o", "--out", metavar="FILE", default=default, help=f"the file to write, {kinds}")


def _picture(parser, default, columns=True):
    _output(parser, default, ".png for a picture or .npy for the array")
    if columns:
        parser.add_argument("--columns", type=int, metavar="N", help="images in a row (default: near a square)")


def _limit(parser):
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N images")


def _describing(commands):
    parser = _command(commands, "list")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser = _model_command(commands, "info")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser = _model_command(commands, "export")
    parser.add_argument("path", metavar="PATH", help="folder; without a number at its end, the version is added to it")
    parser.add_argument(
        "--version", dest="model_version", type=int, default=1, metavar="N", help="version of the model"
    )
    parser.add_argument(
        "--batch-size", type=int, metavar="N", help="fixed number of rows per call (default: any number)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a SavedModel that is already there")
    parser.add_argument("--python", metavar="PYTHON", help="the Python with TensorFlow that exports for torch")
    parser.add_argument("--tolerance", type=float, metavar="X", help="largest accepted difference to the live model")


def _condition(parser):
    parser.add_argument(
        "--condition",
        nargs="+",
        metavar="C",
        help="of a conditional model: the class, its numbers, or an .npy file, of one or of one for each",
    )


def _controls(parser):
    """What a prior that draws position by position can be told."""
    group = parser.add_argument_group("of a model whose prior draws position by position, such as a PixelCNN")
    group.add_argument("--temperature", type=float, metavar="T", help="above 0; below 1 the likely is likelier still")
    group.add_argument("--top-k", type=int, metavar="K", help="only the K most likely values of a position")
    group.add_argument(
        "--top-p", type=float, metavar="P", help="only the most likely values that reach this probability together"
    )
    group.add_argument("--known", metavar="IMAGE", help="draw the rest of this image, which is known where --mask says")
    group.add_argument("--mask", metavar="MASK", help="a picture of the size of --known, white where it is known")


def _drawing(commands):
    parser = _model_command(commands, "sample")
    parser.add_argument("-n", type=int, default=16, metavar="N", help="how many")
    parser.add_argument("--seed", type=int, default=0, help="equal seeds give equal samples")
    _condition(parser)
    _controls(parser)
    _picture(parser, "samples.png")
    parser = _model_command(commands, "reconstruct")
    parser.add_argument("images", nargs="+", metavar="IMAGES", help=IMAGES)
    _limit(parser)
    _condition(parser)
    _picture(parser, "reconstructions.png")
    parser = _model_command(commands, "traverse")
    parser.add_argument("--image", metavar="FILE", help="where to start (default: a sample of the model's own)")
    parser.add_argument(
        "--dims", type=int, nargs="+", metavar="D", help="latent dimensions (default: all, or the ten most active)"
    )
    parser.add_argument("--span", type=float, default=3.0, help="how far to go to each side, in latent units")
    parser.add_argument("--steps", type=int, default=11, metavar="N", help="images in a row")
    parser.add_argument("--seed", type=int, default=0, help="of the sample to start from")
    _picture(parser, "traversal.png", columns=False)


def _latents(commands):
    parser = _model_command(commands, "encode")
    parser.add_argument("images", nargs="+", metavar="IMAGES", help=IMAGES)
    _limit(parser)
    _condition(parser)
    _output(parser, "codes.npz", ".npz with `names` and `z_mean` and `z_log_var`, `indices` (codes), or `z`")
    parser = _model_command(commands, "decode")
    parser.add_argument("codes", metavar="CODES", help=".npz as `encode` writes it, or an .npy array of latents")
    _condition(parser)
    _picture(parser, "decoded.png")
    parser = _model_command(commands, "neighbours")
    parser.add_argument("image", metavar="IMAGE", help="the image to look for")
    parser.add_argument("--among", nargs="+", required=True, metavar="IMAGES", help=IMAGES)
    parser.add_argument("-k", type=int, default=8, metavar="N", help="how many")
    _limit(parser)
    _picture(parser, "neighbours.png", columns=False)


def _evaluation(commands):
    parser = _model_command(commands, "evaluate")
    parser.add_argument("images", nargs="*", metavar="IMAGES", help=IMAGES)
    parser.add_argument(
        "--data", metavar="DATASET[:SPLIT]", help="sprites, or a dataset of tensorflow-datasets; split: test"
    )
    parser.add_argument(
        "--crop", type=int, metavar="N", help="centred square of the dataset's images that is kept, in pixels"
    )
    parser.add_argument("--download", action="store_true", help="download the dataset where it is missing")
    _limit(parser)
    parser.add_argument(
        "--num-samples",
        type=int,
        default=0,
        metavar="N",
        help="samples per image of the importance-weighted -log p(x) of a VAE; 0: leave it out",
    )
    parser.add_argument("--seed", type=int, default=0, help="of every random draw")
    parser.add_argument("--batch-size", type=int, default=128, metavar="N", help="images at a time")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file as well")
