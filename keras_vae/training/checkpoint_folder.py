"""The files of a checkpoint: `checkpoint.json`, written last and by a rename, and the weights that it names."""

import hashlib
import json
import os
import warnings

from keras_vae.core.files import written_whole
from keras_vae.core.folders import remove_leavings, write_synced

STATE = "checkpoint.json"
REPLACED = "replaced.json"  # the state of an earlier run's checkpoint until this run has written one
SCHEMA = 2


def read_state(folder):
    """What `checkpoint.json` says, or None where there is none.

    Raises:
        ValueError: if it is damaged, or of another version of this library; the message names the file.
    """
    path = folder / STATE
    if not path.is_file():
        return None
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"no JSON: {error}") from error
    if not isinstance(state, dict) or type(state.get("schema")) is not int:
        raise _refused(path, "no `schema`, as before checkpoints told what they are of")
    if state["schema"] != SCHEMA:
        raise _refused(path, f"schema={state['schema']}, of another version of this library")
    for name, accepted, fits in (
        ("epoch", "an integer >= 1", lambda value: type(value) is int and value >= 1),
        ("epochs", "an integer >= `epoch`", lambda value: type(value) is int and value >= state["epoch"]),
        ("weights", "the file of that epoch", lambda value: value == weights_name(state["epoch"])),
        ("sha256", "a str", lambda value: isinstance(value, str)),
        ("seeds", "a list", lambda value: isinstance(value, list)),
        ("fingerprint", "a dict", lambda value: isinstance(value, dict)),
    ):
        if not fits(state.get(name)):
            raise _refused(path, f"`{name}` must be {accepted}, and is {str(state.get(name))[:100]!r}")
    return state


def read_weights(folder, state):
    """The bytes of the weights that `state` names.

    Raises:
        ValueError: if they are missing or damaged.
    """
    path = folder / state["weights"]
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != state["sha256"]:
        raise _refused(path, "missing or damaged")
    return content


def write_checkpoint(folder, content, epoch, epochs, seeds, fingerprint):
    """Writes weights, then the state, and removes what they replace: a kill at any moment leaves a whole checkpoint.

    Raises:
        OSError: if the disk takes no more; the checkpoint before is whole then.
    """
    remove_leavings(folder)
    weights = folder / weights_name(epoch)
    with written_whole(weights) as temporary:
        write_synced(temporary, content)
    digest = hashlib.sha256(content).hexdigest()
    state = {"schema": SCHEMA, "epoch": epoch, "epochs": epochs, "weights": weights.name, "sha256": digest}
    state |= {"seeds": seeds, "fingerprint": fingerprint}
    with written_whole(folder / STATE) as temporary:
        write_synced(temporary, json.dumps(state, indent=1, allow_nan=False).encode())
    (folder / REPLACED).unlink(missing_ok=True)
    for old in folder.glob("epoch-*.weights.h5"):
        if old.name != weights.name:
            old.unlink()


def set_aside(folder):
    """Makes sure that nobody goes on from the checkpoint in `folder`; warns if its training was not finished.

    Its files stay until the next checkpoint is written, so that a user who forgot to resume can have it back.
    """
    try:
        state = read_state(folder)
    except ValueError as error:
        warnings.warn(f"A new training begins in {folder}, in place of what is there: {error}", stacklevel=2)
    else:
        if state is None:
            return
        if state["epoch"] < state["epochs"]:
            warnings.warn(
                f"A new training begins in {folder}, in place of one that was stopped after epoch {state['epoch']} of "
                f"{state['epochs']}. To go on with that one, stop before the first checkpoint is written, rename "
                f"{REPLACED} to {STATE} there, and resume.",
                stacklevel=2,
            )
    os.replace(folder / STATE, folder / REPLACED)


def weights_name(epoch):
    return f"epoch-{epoch:06d}.weights.h5"


def _refused(path, received):
    return ValueError(f"`folder` must hold a whole checkpoint. Received: {path}: {received}.")
