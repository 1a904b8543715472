"""Names, folders, https:// and hf://: what each stands for, and what is refused before anything is fetched."""

import contextlib
import functools
import http.server
import pathlib
import shutil
import sys
import threading
import types

import numpy as np
import pytest

from harness import images
from keras_vae import PresetError, list_pretrained, load_pretrained, save_pretrained
from keras_vae.presets import handles, layout, pretrained_metadata
from small_models import facts, reseal, small


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("presets")
    save_pretrained(small("plain"), home / "vae_mnist", **facts())
    save_pretrained(small("plain", seed=1), home / "beta_vae_sprites", **facts(metrics={}))
    (home / "README.md").write_text("not a preset")
    return home


@pytest.fixture
def shipped(home, monkeypatch):
    monkeypatch.setenv("KERAS_VAE_SAVED_MODELS", str(home))
    return home


def refused(handle, message, **kwargs):
    with pytest.raises(PresetError, match=message):
        load_pretrained(handle, **kwargs)


class TestNames:
    def test_a_name_is_a_shipped_preset(self, shipped):
        assert handles.resolve("vae_mnist") == shipped / "vae_mnist"
        assert load_pretrained("vae_mnist").latent_shape == (3,)
        assert pretrained_metadata("vae_mnist")["name"] == "vae_mnist"

    def test_list(self, shipped):
        summaries = list_pretrained()
        assert list(summaries) == ["beta_vae_sprites", "vae_mnist"]
        assert summaries["vae_mnist"]["metrics"] == {"psnr": 12.5}
        assert summaries["vae_mnist"]["model"] == "PlainAutoencoder"
        assert summaries["vae_mnist"]["bytes"] == (shipped / "vae_mnist" / "model.weights.h5").stat().st_size

    def test_list_refuses_a_damaged_preset(self, shipped, tmp_path, monkeypatch):
        copy = shutil.copytree(shipped, tmp_path / "copy")
        (copy / "vae_mnist" / "metadata.json").write_text("{")
        monkeypatch.setenv("KERAS_VAE_SAVED_MODELS", str(copy))
        with pytest.raises(PresetError, match="vae_mnist/metadata.json is not valid JSON"):
            list_pretrained()

    @pytest.mark.parametrize("name", ["vae_mnits", "VAE_MNIST", "mnist_vae"])
    def test_an_unknown_name_gets_the_closest(self, shipped, name):
        refused(
            name, f"preset .beta_vae_sprites, vae_mnist., a folder, .* Received: handle='{name}'. Did you mean .*'vae_m"
        )

    def test_an_unknown_name_where_nothing_is_near_or_installed(self, shipped, tmp_path, monkeypatch):
        refused("zzzz", r"Received: handle='zzzz'\.$")
        monkeypatch.setenv("KERAS_VAE_SAVED_MODELS", str(tmp_path))
        refused("vae_mnist", r"none is installed.*Received: handle='vae_mnist'\.$")
        assert list_pretrained() == {}

    @pytest.mark.parametrize(
        "name", ["", ".", "..", "../vae_mnist", "vae_mnist/../../etc", "/etc/passwd", "vae_mnist\0"]
    )
    def test_a_name_never_leaves_the_folder(self, shipped, tmp_path, monkeypatch, name):
        monkeypatch.chdir(tmp_path)
        refused(name, "(Received: handle=|metadata.json is missing)")

    def test_a_bare_name_is_the_shipped_preset_before_a_folder(self, shipped, tmp_path, monkeypatch):
        shutil.copytree(shipped / "beta_vae_sprites", tmp_path / "vae_mnist")
        shutil.copytree(shipped / "beta_vae_sprites", tmp_path / "mine")
        monkeypatch.chdir(tmp_path)
        assert handles.resolve("vae_mnist") == shipped / "vae_mnist"
        assert handles.resolve("./vae_mnist") == handles.resolve(pathlib.Path("vae_mnist")) == pathlib.Path("vae_mnist")
        assert load_pretrained("mine").latent_shape == (3,)

    def test_the_wheel_and_the_checkout_have_their_places(self, tmp_path, monkeypatch):
        monkeypatch.delenv("KERAS_VAE_SAVED_MODELS", raising=False)
        package = tmp_path / "keras_vae"
        monkeypatch.setattr(layout, "_ROOT", package)
        (tmp_path / "saved_models").mkdir()
        assert layout.shipped_folder() == package / "saved_models"  # in site-packages: not somebody else's folder
        (tmp_path / "pyproject.toml").touch()
        assert layout.shipped_folder() == tmp_path / "saved_models"
        (package / "saved_models").mkdir(parents=True)
        assert layout.shipped_folder() == package / "saved_models"

    @pytest.mark.parametrize("handle", [None, 3, b"vae_mnist", ["vae_mnist"]])
    def test_refuses_what_is_no_handle(self, handle):
        with pytest.raises(TypeError, match="`handle` must be a str or a path. Received: handle="):
            load_pretrained(handle)


class TestSchemes:
    @pytest.mark.parametrize("scheme", ["ftp", "file", "s3", "gs", "javascript", "HTTPX"])
    def test_other_schemes(self, scheme):
        refused(f"{scheme}://host/vae", "`handle` must be a name, a folder, https:// or hf://. Received: handle=")

    @pytest.mark.parametrize("host", ["example.org", "localhost.example.org", "127.0.0.1.example.org", "a@example.org"])
    def test_plain_http(self, host):
        refused(f"http://{host}/vae", "`handle` must be https://, plain http can be altered")

    @pytest.mark.parametrize("address", ["https:///vae", "https://", "https://host/vae#part"])
    def test_an_address_without_a_host(self, address):
        refused(address, "`handle` must be https://host/path of a preset's folder")

    @pytest.mark.parametrize("pin", ["abc", "Z" * 64, 7])
    def test_a_pin_that_is_no_hash(self, shipped, pin):
        refused("vae_mnist", "`metadata_sha256` must be 64 hexadecimal digits", metadata_sha256=pin)

    def test_a_pin_holds_for_folders_too(self, shipped):
        pin = layout.sha256(shipped / "vae_mnist" / "metadata.json")
        assert load_pretrained("vae_mnist", metadata_sha256=pin).built
        refused("vae_mnist", "has not the SHA-256 of `metadata_sha256`", metadata_sha256="0" * 64)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args, asked, **kwargs):
        self.asked = asked
        super().__init__(*args, **kwargs)

    def log_request(self, *args):
        self.asked.append(self.path)

    def log_message(self, *args):
        pass


@pytest.fixture
def web(home, tmp_path):
    """An http server on this machine with a copy of the presets: an address, its folder, the paths asked for so far."""
    root, asked = shutil.copytree(home, tmp_path / "web"), []
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(root), asked=asked)
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with contextlib.closing(server.socket):
        yield f"http://127.0.0.1:{server.server_port}/vae_mnist", root / "vae_mnist", asked
        server.shutdown()


class TestWeb:
    def test_downloads_verifies_and_remembers(self, home, web, tmp_path):
        address, _, asked = web
        model = load_pretrained(address, cache_dir=tmp_path / "cache")
        expected = load_pretrained(home / "vae_mnist").encode(images(2))
        np.testing.assert_array_equal(model.encode(images(2)), expected)
        files = ["metadata.json", "config.json", "model.weights.h5"]
        assert asked == [f"/vae_mnist/{name}" for name in files]
        load_pretrained(address + "/", cache_dir=tmp_path / "cache2")
        del asked[:]
        load_pretrained(address, cache_dir=tmp_path / "cache")
        assert asked == ["/vae_mnist/metadata.json"]  # which may have changed; the rest is known by its hash
        kept = [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()]
        assert sorted(kept) == sorted(files)

    def test_a_pinned_preset_needs_no_network_twice(self, web, tmp_path):
        address, folder, asked = web
        pin = layout.sha256(folder / "metadata.json")
        load_pretrained(address, metadata_sha256=pin, cache_dir=tmp_path / "cache")
        del asked[:]
        load_pretrained(address, metadata_sha256=pin, cache_dir=tmp_path / "cache")
        assert asked == []
        reseal(folder)  # another metadata.json
        refused(address, "could not be downloaded and verified", metadata_sha256=pin, cache_dir=tmp_path / "new")

    def test_a_query_goes_with_every_file(self, web, tmp_path):
        address, _, asked = web
        load_pretrained(f"{address}?token=1", cache_dir=tmp_path / "cache")
        assert asked[0] == "/vae_mnist/metadata.json?token=1" and len(asked) == 3

    def test_altered_on_the_server(self, web, tmp_path):
        address, folder, _ = web
        load_pretrained(address, cache_dir=tmp_path / "old")
        content = bytearray((folder / "model.weights.h5").read_bytes())
        content[100] ^= 1
        (folder / "model.weights.h5").write_bytes(content)
        for cache in ("new", "new"):  # the second time too: the bad file is not kept
            refused(address, "model.weights.h5 could not be downloaded and verified", cache_dir=tmp_path / cache)
        assert not [path for path in (tmp_path / "new").rglob("*") if path.name.startswith("model.weights")]
        assert load_pretrained(address, cache_dir=tmp_path / "old").built  # has the file by its hash

    def test_damaged_in_the_cache(self, web, tmp_path):
        address, _, _ = web
        load_pretrained(address, cache_dir=tmp_path / "cache")
        (weights,) = (tmp_path / "cache").rglob("model.weights.h5")
        weights.write_bytes(b"damaged")
        assert load_pretrained(address, cache_dir=tmp_path / "cache").built

    def test_nothing_there(self, web, tmp_path):
        address, folder, _ = web
        refused(f"{address}_2", "vae_mnist_2/metadata.json could not be downloaded .*404", cache_dir=tmp_path / "c")
        (folder / "config.json").unlink()
        refused(address, "config.json could not be downloaded .*404", cache_dir=tmp_path / "c")

    def test_names_in_the_metadata_are_checked_before_they_are_fetched(self, web, tmp_path):
        address, folder, asked = web
        text = (folder / "metadata.json").read_text().replace('"model.weights.h5"', '"../secret"')
        (folder / "metadata.json").write_text(text)
        refused(address, "nothing else. Received: '../secret'", cache_dir=tmp_path / "cache")
        assert asked == ["/vae_mnist/metadata.json"]


@pytest.fixture
def hub(home, monkeypatch):
    """A huggingface_hub that serves `home` as the repository someone/vaes; its calls, and sizes that it announces."""
    calls, sizes = [], {}

    def hf_hub_download(repo_id, filename, *, subfolder=None, revision=None, cache_dir=None, dry_run=False):
        if not dry_run:
            calls.append((repo_id, subfolder, filename, revision))
        path = home / (subfolder or "vae_mnist") / filename
        if repo_id != "someone/vaes" or not path.is_file():
            raise OSError(f"404: {filename}")
        return types.SimpleNamespace(file_size=sizes.get(filename, path.stat().st_size)) if dry_run else str(path)

    monkeypatch.setitem(sys.modules, "huggingface_hub", types.SimpleNamespace(hf_hub_download=hf_hub_download))
    return types.SimpleNamespace(calls=calls, sizes=sizes)


class TestHub:
    def test_repository_folder_and_revision(self, hub):
        assert load_pretrained("hf://someone/vaes").latent_shape == (3,)
        files = ["metadata.json", "config.json", "model.weights.h5"]
        assert hub.calls == [("someone/vaes", None, name, None) for name in files]
        del hub.calls[:]
        assert pretrained_metadata("hf://someone/vaes/beta_vae_sprites@v1.0")["name"] == "beta_vae_sprites"
        assert hub.calls == [("someone/vaes", "beta_vae_sprites", name, "v1.0") for name in files]

    @pytest.mark.parametrize(
        "handle", ["hf://", "hf://someone", "hf://a/..", "hf://a/b/../c", "hf://a/b c", "hf://a//b"]
    )
    def test_refuses_what_is_no_repository(self, hub, handle):
        refused(handle, "`handle` must be hf://owner/repository, .*Received: handle=")
        assert hub.calls == []

    @pytest.mark.parametrize("name", ["metadata.json", "config.json", "model.weights.h5"])
    @pytest.mark.parametrize("size", [10**12, None])
    def test_a_file_larger_than_expected_is_not_fetched(self, hub, name, size):
        hub.sizes[name] = size
        refused("hf://someone/vaes", f"{name} could not be downloaded: the hub announces {size} bytes, at most [0-9]+ ")
        assert name not in [call[2] for call in hub.calls]

    def test_nothing_there(self, hub):
        refused("hf://nobody/vaes", "hf://nobody/vaes: metadata.json could not be downloaded: 404")

    def test_the_hub_is_an_extra(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "huggingface_hub", None)
        with pytest.raises(ImportError, match=r"Loading a preset from hf:// needs `huggingface_hub`.*keras_vae\[hub\]"):
            load_pretrained("hf://someone/vaes")
