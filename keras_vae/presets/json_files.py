"""JSON from files that nobody vouches for: small, flat, finite, and safe to print."""

import json
import math
import re

from keras_vae.presets.files import read_whole
from keras_vae.presets.preset_error import PresetError

# Far above any real config or metadata: bounds on what a hostile file can make us read, walk and build.
JSON_BYTES = 4 * 2**20
VALUES = 300_000  # numbers, strings, lists and objects, as counted by what separates them
DEPTH = 100
CHARACTERS = 10_000  # of a string
BITS = 64  # of an integer: those of seeds are the largest
# What a terminal obeys, what turns the direction of writing, and halves of characters: all but tab and new line.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def read_json(path, where=None):
    """The object in a JSON file, or a `PresetError` that says what is wrong with the file.

    Args:
        path: path-like.
        where: str or path, what to call it in an error. Default: `path`.
    """
    return parse_json(read_whole(path, JSON_BYTES), path if where is None else where)


def parse_json(content, where):
    """The object that `content`, the bytes of a JSON file, holds, or a `PresetError`.

    Args:
        content: bytes.
        where: str or path, what to call the file in an error.
    """
    if sum(content.count(mark) for mark in (b"[", b"{", b",")) > VALUES:
        raise PresetError(f"{where} must hold at most {VALUES} values. Received: more.")
    try:
        value = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise PresetError(f"{where} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise PresetError(f"{where} must hold a JSON object. Received: {type(value).__name__}.")
    waiting = [(value, 1)]
    while waiting:
        part, depth = waiting.pop()
        if fault := _fault(part, depth):
            raise PresetError(f"{where} must hold {fault}")
        if isinstance(part, dict):
            waiting.extend((inner, depth + 1) for pair in part.items() for inner in pair)
        elif isinstance(part, list):
            waiting.extend((inner, depth + 1) for inner in part)
    return value


def _fault(value, depth):
    if depth > DEPTH:
        return f"at most {DEPTH} levels of lists and objects in each other. Received: more."
    if isinstance(value, str):
        if len(value) > CHARACTERS:
            return f"strings of at most {CHARACTERS} characters. Received: {len(value)}."
        if CONTROL.search(value):
            return f"text without control characters. Received: {value[:100]!r}."
    if isinstance(value, int) and value.bit_length() > BITS:
        return f"integers of at most {BITS} bits. Received: {value.bit_length()} bits."
    if isinstance(value, float) and not math.isfinite(value):
        return f"finite numbers. Received: {value}."
    return None
