"""Loads thousands of altered presets in a process of its own and reports what came of them: presets/test_fuzz.py."""

import argparse
import collections
import gc
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import sys
import tempfile
import time

import keras

import hostile_presets
import keras_vae
from small_models import KINDS, facts, reseal, small

FILES = ("config.json", "model.weights.h5", "metadata.json")
NUMBERS = (-1, 0, 2, 1.5, 10**9, 2**63, -(2**70), 1e308)
VALUES = (*NUMBERS, None, True, "", "a", "x" * 20_000, "\x1b[31m", "../..", [], {}, [[]])
NAMES = ("Lambda", "TFSMLayer", "Dense", "MLPEncoder", "VAE", "__numpy__", "__lambda__", "function", "subprocess")
SLOW = ("1,900 layers", "a slow loop over time")  # crafted ones that cost seconds
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
FORBIDDEN = "subprocess.Popen os.system os.exec os.posix_spawn os.fork socket.connect pickle.find_class".split()


def nodes(value, found):
    """Each (container, key) in a JSON value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(pairs):
        found.append((value, key))
        nodes(item, found)
    return found


def mutate_json(folder, rng):
    path = folder / rng.choice(("config.json", "metadata.json"))
    value = json.loads(path.read_text())
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        places = nodes(value, [])
        if not places:
            break
        container, key = rng.choice(places)
        kind = rng.randrange(6)
        if kind == 0:
            del container[key]
        elif kind == 1:
            container[key] = rng.choice(VALUES)
        elif kind == 2:
            other, place = rng.choice(places)
            container[key] = json.loads(json.dumps(other[place] if place in other or isinstance(other, list) else 0))
        elif kind == 3 and isinstance(container, dict):
            container[rng.choice((*NAMES, key + "x", "unroll", "dtype"))] = container.pop(key)
        elif kind == 4:
            container[key] = rng.choice(NAMES) if isinstance(container[key], str) else {"class_name": rng.choice(NAMES)}
        elif isinstance(container[key], (int, float)):
            container[key] = container[key] * rng.choice((-1, 0, 2, 1000, 10**6, 0.5))
    path.write_text(json.dumps(value))


def mutate_bytes(folder, rng):
    path = folder / rng.choice(FILES)
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 2, 8, 64))):
        place, kind = rng.randrange(len(content) + 1), rng.randrange(4)
        if kind == 0 and place < len(content):
            content[place] = rng.randrange(256)
        elif kind == 1:
            del content[place : place + rng.randrange(1, 100)]
        elif kind == 2:
            content[place:place] = rng.randbytes(rng.randrange(1, 100))
        else:
            content[place : place + 8] = rng.choice((b"\0" * 8, b"\xff" * 8, (2**40).to_bytes(8, "little")))
    path.write_bytes(content)


def mutate_layout(folder, rng):
    path = folder / rng.choice(FILES)
    content = path.read_bytes()
    path.unlink()
    kind = rng.randrange(10)
    if kind == 0:
        path.mkdir()
    elif kind == 1:
        os.mkfifo(path)
    elif kind == 2:  # a sparse file: terabytes that take no room
        path.touch()
        os.truncate(path, 2**40)
    elif kind == 3:
        path.write_bytes(b"")
    elif kind == 4:
        other = folder / "other"
        other.write_bytes(content)
        path.symlink_to(other)
    elif kind < 9:
        path.symlink_to(("/dev/zero", "/dev/tty", "/etc/passwd", str(path))[kind - 5])


def mutate_hdf5(folder, rng):
    """Bytes of the structure, not of the numbers: what lies between the numbers of the arrays."""
    import h5py

    path, numbers = folder / "model.weights.h5", []
    with h5py.File(path) as file:
        file.visititems(lambda _, item: numbers.append(item) if hasattr(item, "nbytes") else None)
        inside = {p for d in numbers for p in range(d.id.get_offset() or 0, (d.id.get_offset() or 0) + d.nbytes)}
    content = bytearray(path.read_bytes())
    places = [p for p in range(len(content)) if p not in inside]
    used = [p for p in places if content[p]]
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        place = rng.choice(used if rng.random() < 0.8 else places)
        content[place] = rng.choice((0, 1, 255, rng.randrange(256), content[place] ^ (1 << rng.randrange(8))))
    path.write_bytes(content)


MUTATIONS = (mutate_json, mutate_json, mutate_bytes, mutate_layout, mutate_hdf5)


def mutated(folder, rng):
    change = rng.choice(MUTATIONS)
    change(folder, rng)
    sealed = rng.random() < 0.5 or change is mutate_hdf5
    regular = all((folder / name).is_file() and (folder / name).stat().st_size < 2**30 for name in FILES)
    if sealed and regular and "/dev" not in "".join(str((folder / name).resolve()) for name in FILES):
        try:
            reseal(folder)
        except (ValueError, KeyError, TypeError, AttributeError, OSError):
            pass  # the metadata is what has been broken
    return change.__name__


def outcome(folder):
    try:
        keras_vae.load_pretrained(folder)
    except keras_vae.PresetError as error:
        chain, text = error, str(error)
        while chain is not None:
            if isinstance(chain, MemoryError) or "allocate" in str(chain):
                return f"memory: {chain!r}"[:500]
            chain = chain.__cause__ or chain.__context__
        plain = len(text) <= 2000 and all(char.isprintable() or char in "\n\t" for char in text)
        return "PresetError" if plain else f"message: {text[:500]!r}"
    except BaseException as error:  # the point of the whole: there is no other
        return f"{type(error).__name__}: {error}"[:500]
    return "model"


def watch(home, seen):
    def hook(event, args):
        if event in FORBIDDEN:
            seen.append(f"{event} {args!r}"[:300])
        elif event == "open" and isinstance(args[0], (str, os.PathLike)) and (args[2] or 0) & WRITES:
            if not os.path.realpath(args[0]).startswith((home, "/dev/null")):
                seen.append(f"wrote {args[0]}")

    sys.addaudithook(hook)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--slow", action="store_true")
    args = parser.parse_args()
    home = pathlib.Path(os.path.realpath(tempfile.mkdtemp(dir=os.getcwd())))
    tempfile.tempdir = str(home)  # where loading puts its private copies
    sys.dont_write_bytecode = True
    originals = [keras_vae.save_pretrained(small(kind), home / kind, **facts()) for kind in KINDS]
    for folder in originals:
        keras_vae.load_pretrained(folder)
    peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # noqa: E731, in MB
    start, seen, outcomes, faults, slowest, began = peak(), [], collections.Counter(), [], (0.0, ""), time.time()
    # Room for what the limit of 1 GB does not catch: no bomb may take the machine with it.
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) if os.path.exists("/proc/self/statm") else 0
    if pages:
        limit = pages * resource.getpagesize() + 8 * 2**30
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
    known = {path.name for path in home.iterdir()}  # the originals, and what TensorFlow keeps for itself
    watch(str(home), seen)
    crafted = [name for name in hostile_presets.ATTACKS if args.slow or name not in SLOW]
    for number in range(len(crafted) + args.count):
        rng = random.Random(f"{args.seed}-{number}")
        source = originals[0] if number < len(crafted) else rng.choice(originals)
        folder = shutil.copytree(source, home / "case")
        if number < len(crafted):
            what = crafted[number]
            hostile_presets.craft(what, folder)
        else:
            what = mutated(folder, rng)
        before, memory = time.process_time(), peak()
        signal.alarm(120)  # what hangs ends the process, and its number is the last one told
        print(f"{number} {what}", file=sys.stderr, flush=True)
        result = outcome(folder)
        signal.alarm(0)
        seconds, grown = time.process_time() - before, peak() - memory
        outcomes[result if result in ("model", "PresetError") else "fault"] += 1
        slowest = max(slowest, (seconds, f"{number} {what}"))
        if result not in ("model", "PresetError") or grown > 1000 or (number < len(crafted) and result == "model"):
            faults.append(f"{number} {what}: {result}, {seconds:.1f} s, {grown:.0f} MB")
        left = {path.name for path in home.iterdir()} - known - {"case"}
        faults.extend(f"{number} {what}: left {name}" for name in left)
        shutil.rmtree(folder)
        if number % 50 == 0:
            keras.utils.clear_session()
            gc.collect()
    report = {"cases": number + 1, "outcomes": outcomes, "faults": faults + seen, "slowest": slowest}
    print(json.dumps({**report, "seconds": time.time() - began, "megabytes": peak() - start}))
    shutil.rmtree(home)


if __name__ == "__main__":
    main()
