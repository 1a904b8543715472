"""One file from the web: by https, redirects included; never more than is expected; whole and verified, or none."""

import contextlib
import hashlib
import http.client
import os
import re
import secrets
import sys
import time
import urllib.parse
import urllib.request

import keras

from keras_vae.presets.preset_error import PresetError

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
TIMEOUT = 30  # seconds without an answer or a byte
SLOWEST = 2**13  # bytes a second, from beginning to end; slower is a server that holds us
CHUNK = 2**16
SHOWN = 2**20  # bytes from which on there is a progress bar


def checked_address(address):
    """The parts of an address (`urllib.parse.SplitResult`) that a preset may be fetched from.

    Args:
        address: str.

    Raises:
        PresetError: if it is malformed, or neither https nor plain http from this machine.
    """
    try:
        if not re.fullmatch("[!-~]+", address):
            raise ValueError("characters that are not printable ASCII must be percent-encoded")
        parts = urllib.parse.urlsplit(address)
        port = parts.port  # parsed, and checked, only now
    except ValueError as error:
        raise PresetError(f"`handle` must be a valid address: {error}. Received: handle={address!r}.") from error
    if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS:
        raise PresetError(f"`handle` must be https://, plain http can be altered on its way. Received: {address!r}.")
    if not parts.hostname or parts.fragment or parts.username is not None or port == 0:
        raise PresetError(f"`handle` must be https://host/path of a preset's folder. Received: handle={address!r}.")
    return parts


def download(address, target, limit, sha256=None):
    """Fetches a file beside its place, verifies it and moves it there: a broken one leaves and replaces nothing.

    Args:
        address: str, of which `checked_address` has approved.
        target: `pathlib.Path`, the file to write.
        limit: int, the most bytes that are accepted.
        sha256: str, the digest that the file must have, or None. Default: None.

    Raises:
        PresetError: whatever goes wrong.
    """
    partial = target.with_name(f"{target.name}.{secrets.token_hex(4)}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _OPENER.open(address, timeout=TIMEOUT) as answer, open(partial, "xb") as file:
            found = _transfer(answer, file, limit)
        if sha256 not in (None, found):
            raise ValueError(f"its SHA-256 is {found}, {sha256} expected")
        os.replace(partial, target)
    except (OSError, http.client.HTTPException, ValueError) as error:  # errors of urllib and time-outs are OSErrors
        reason = str(error) or type(error).__name__
        raise PresetError(
            f"{address} could not be downloaded and verified into {target.parent}: {reason}. Nothing of it was kept; "
            "it can be tried again."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def _transfer(answer, file, limit):
    """Copies the body of an answer, and returns its SHA-256."""
    declared = answer.length  # None where the server does not say
    if declared is not None and declared > limit:
        raise ValueError(f"the server announces {declared} bytes, at most {limit} are expected")
    progress = keras.utils.Progbar(declared) if (declared or limit) > SHOWN else None
    digest, size, end = hashlib.sha256(), 0, time.monotonic() + TIMEOUT + limit / SLOWEST
    while chunk := answer.read1(CHUNK):
        size += len(chunk)
        if size > limit:
            raise ValueError(f"the server sends more than the {limit} bytes that are expected")
        if time.monotonic() > end:
            raise ValueError(f"the server sends less than {SLOWEST} bytes a second")
        digest.update(chunk)
        file.write(chunk)
        if progress is not None:
            with contextlib.redirect_stdout(sys.stderr):  # stdout is for what was asked for
                progress.update(size)
    if declared is not None and size < declared:
        raise ValueError(f"the connection broke off after {size} of {declared} bytes")
    return digest.hexdigest()


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, answer, code, message, headers, address):
        if not address.lower().startswith("https://"):
            raise PresetError(f"{request.full_url} must not redirect to anything but https://. Received: {address!r}.")
        return super().redirect_request(request, answer, code, message, headers, address)


_OPENER = urllib.request.build_opener(_HttpsOnly)
