"""Downloads: https alone, bounded before they are fetched whole, and nothing left of one that fails."""

import contextlib
import http.server
import pathlib
import threading
import time
import urllib.request

import pytest

from keras_vae import PresetError, list_pretrained, load_pretrained, save_pretrained
from keras_vae.presets import download, handles, pretrained_metadata
from small_models import facts, small

FILES = ("metadata.json", "config.json", "model.weights.h5")


class Server(http.server.ThreadingHTTPServer):
    """Serves the files of a folder; `answers[name](handler, content)` may answer in another way."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.answers, self.sent = folder, {}, 0
        self.address = f"http://127.0.0.1:{self.server_port}/vae"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.rsplit("/", 1)[1]
        content = (self.server.folder / name).read_bytes()
        with contextlib.suppress(ConnectionError):
            self.server.answers.get(name, whole)(self, content)

    def log_message(self, *_):
        pass


def whole(handler, content, length=None):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content) if length is None else length))
    handler.end_headers()
    handler.wfile.write(content)
    handler.server.sent += len(content)


def larger(handler, content):
    whole(handler, content + b" " * 10**7, len(content) + 10**7)


def endless(handler, content):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(10_000):  # 655 MB, were it read
        handler.wfile.write(b" " * 2**16)
        handler.server.sent += 2**16


def broken_off(handler, content):
    whole(handler, content[:-1], len(content))


def silent(handler, content):
    time.sleep(2)


def dripping(handler, content):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    for i in range(len(content)):
        handler.wfile.write(content[i : i + 1])
        time.sleep(0.05)


def redirected(address):
    def answer(handler, content):
        handler.send_response(302)
        handler.send_header("Location", address)
        handler.end_headers()

    return answer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_pretrained(small("plain"), tmp_path_factory.mktemp("presets") / "vae", **facts())


@pytest.fixture
def server(folder):
    server = Server(folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def refused(server, cache, message):
    with pytest.raises(PresetError, match=message) as caught:
        load_pretrained(server.address, cache_dir=cache)
    assert not list(cache.rglob("*.partial"))
    return str(caught.value)


class TestBounds:
    @pytest.mark.parametrize("name", FILES)
    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (larger, "the server announces [0-9]+ bytes, at most [0-9]+ are expected"),
            (endless, "the server sends more than the [0-9]+ bytes that are expected"),
        ],
        ids=["announced", "endless"],
    )
    def test_more_than_expected(self, server, tmp_path, name, answer, message):
        server.answers[name] = answer
        refused(server, tmp_path, f"{name} could not be downloaded .*{message}")
        assert server.sent < 40 * 2**20  # what the metadata may have, and what lies between two sockets
        assert not list(tmp_path.rglob(name))

    @pytest.mark.parametrize("name", FILES)
    def test_one_that_breaks_off_can_be_tried_again(self, server, tmp_path, name):
        server.answers[name] = broken_off
        message = refused(
            server, tmp_path, f"{name} could not be downloaded .*the connection broke off after [0-9]+ of "
        )
        assert message.endswith("Nothing of it was kept; it can be tried again.")
        assert not list(tmp_path.rglob(name))
        del server.answers[name]
        assert load_pretrained(server.address, cache_dir=tmp_path).built

    def test_a_server_that_says_nothing(self, server, tmp_path, monkeypatch):
        monkeypatch.setattr(download, "TIMEOUT", 0.2)
        server.answers["config.json"] = silent
        refused(server, tmp_path, "config.json could not be downloaded .*timed out")

    def test_a_server_that_drips(self, server, tmp_path, monkeypatch):
        monkeypatch.setattr(download, "TIMEOUT", 0.2)
        monkeypatch.setattr(download, "SLOWEST", 10**9)
        server.answers["config.json"] = dripping
        refused(server, tmp_path, "config.json could not be downloaded .*less than 1000000000 bytes a second")

    def test_progress_is_told_beside_what_was_asked_for(self, server, tmp_path, monkeypatch, capsys):
        load_pretrained(server.address, cache_dir=tmp_path / "silent")
        assert capsys.readouterr().err == ""  # a small file is there at once
        monkeypatch.setattr(download, "SHOWN", 20_000)
        load_pretrained(server.address, cache_dir=tmp_path / "told")
        out, err = capsys.readouterr()
        size = (server.folder / "model.weights.h5").stat().st_size
        assert out == "" and f"{size}/{size}" in err


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            "https://[",
            "https://host:99999/x",
            "https://host:port/x",
            "https://host:0/x",
            "https://host/a\nb",
            "https://ho\x00st/x",
            "https://host/\x1b[31m",
            "https://host/ü",
            "https://host/a b",
            "https://me:secret@host/x",
            "https://\u202ehost/x",
            "hf://\x1b[31m",
            "\x1b[31m://x",
            "\x1b[31m",
            "~nobody-of-that-name/x",
            "a" * 5000,
        ],
    )
    def test_a_malformed_one(self, address):
        with pytest.raises(PresetError, match="`handle` must be") as caught:
            load_pretrained(address)
        message = str(caught.value)
        assert len(message) <= 2000 and all(char.isprintable() for char in message)

    @pytest.mark.parametrize(
        "address", ["http://127.0.0.1:1/x", "file:///etc/passwd", "ftp://host/x", "//host/x", "/x"]
    )
    def test_a_redirect_to_anything_but_https(self, server, tmp_path, address):
        server.answers["config.json"] = redirected(address)
        refused(
            server, tmp_path, "(must not redirect to anything but https://|could not be downloaded).*(Received|302)"
        )

    def test_a_redirect_from_https(self):
        handler, request = download._HttpsOnly(), urllib.request.Request("https://host/x")
        with pytest.raises(PresetError, match="must not redirect to anything but https://. Received: 'http://host/x'"):
            handler.redirect_request(request, None, 302, "Found", {}, "http://host/x")
        assert handler.redirect_request(request, None, 302, "Found", {}, "https://b/x").full_url == "https://b/x"


class TestDefaults:
    @pytest.fixture(params=["HOME", "KERAS_HOME"])
    def keras_home(self, request, tmp_path, monkeypatch):
        monkeypatch.delenv("KERAS_HOME", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        if request.param == "KERAS_HOME":
            monkeypatch.setenv("KERAS_HOME", str(tmp_path / "mine"))
        return tmp_path / ("mine" if request.param == "KERAS_HOME" else ".keras")

    def test_each_public_function_with_its_defaults_alone(self, server, tmp_path, keras_home):
        assert load_pretrained(server.address).built
        (place,) = (keras_home / "keras_vae").iterdir()
        assert sorted(path.name for path in place.iterdir()) == sorted(FILES)
        assert pretrained_metadata(server.address)["folder"] == str(place)
        assert isinstance(list_pretrained(), dict)
        given = {name: facts()[name] for name in ("recipe", "dataset", "licence", "seed", "metrics")}
        assert load_pretrained(save_pretrained(small("plain"), tmp_path / "saved", **given)).built

    def test_where_there_is_no_home(self, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("")
        monkeypatch.delenv("KERAS_HOME", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path / "file"))
        assert handles._cache(None).name == ".keras"
        assert handles._cache(None).parent != tmp_path / "file"
        assert handles._cache("~/x") == pathlib.Path(tmp_path / "file" / "x")
