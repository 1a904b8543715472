"""export: a SavedModel."""

from keras_vae.cli.handles import load
from keras_vae.export import export_saved_model


def export(args):
    """`keras-vae export NAME PATH`.

    Args:
        args: namespace of the parser's.
    """
    folder = export_saved_model(
        load(args.name),
        args.path,
        version=args.model_version,
        batch_size=args.batch_size,
        overwrite=args.overwrite,
        python=args.python,
        tolerance=args.tolerance,
    )
    print(f"{folder}: written, loaded again and compared with the model")
