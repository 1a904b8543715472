"""Files and folders are there whole or not at all, and what killed writers leave is removed by the next."""

import os
import pathlib
import shutil

import pytest

from keras_vae.core.folders import remove_leavings, replaced_folder, workplace, write_synced
from keras_vae.reports import written_whole
from processes import holder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def leaving(folder, name, **content):
    """What a writer of `name` leaves when it is killed."""
    left = folder / f".{name}.0123abcd.partial"
    left.mkdir()
    for file, text in {"lock": "process 1 of nowhere", **content}.items():
        (left / f".{file}" if file == "lock" else left / file).write_text(text)
    return left


def write_file(path):
    with written_whole(path) as temporary:
        temporary.write_text("new")


def write_folder(path):
    with replaced_folder(path) as fresh:
        (fresh / "file").write_text("new")


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_the_next_write_removes_what_a_killed_one_left(write, tmp_path):
    left = leaving(tmp_path, "thing.txt", half="a")
    (tmp_path / ".hidden").write_text("not ours")
    (tmp_path / ".other.partial").mkdir()
    other = leaving(tmp_path, "another.txt", half="b")
    write(tmp_path / "thing.txt")
    assert not left.exists()
    assert names(tmp_path) == sorted([other.name, ".hidden", ".other.partial", "thing.txt"])
    remove_leavings(tmp_path)
    assert names(tmp_path) == [".hidden", ".other.partial", "thing.txt"]


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_what_another_live_process_writes_is_left_alone(write, tmp_path):
    live = leaving(tmp_path, "thing", half="a")
    with holder(live):
        write(tmp_path / "thing")
        assert (live / "half").read_text() == "a"
    write(tmp_path / "thing")
    assert names(tmp_path) == ["thing"]


def test_what_another_thread_writes_is_left_alone(tmp_path):
    with workplace(tmp_path / "thing") as slow:
        slow.write_text("slow")
        write_file(tmp_path / "thing")
        assert slow.read_text() == "slow"
    assert names(tmp_path) == ["thing"]


def test_a_folder_that_a_killed_writer_had_set_aside_is_put_back(tmp_path):
    """Killed between the two renames: the old folder is the only one."""
    left = leaving(tmp_path, "preset")
    (left / ".replaced").mkdir()
    (left / ".replaced" / "file").write_text("old")
    with pytest.raises(RuntimeError), replaced_folder(tmp_path / "preset"):
        raise RuntimeError
    assert names(tmp_path) == ["preset"] and (tmp_path / "preset" / "file").read_text() == "old"
    write_folder(tmp_path / "preset")
    assert names(tmp_path) == ["preset"] and (tmp_path / "preset" / "file").read_text() == "new"


def test_a_folder_that_fails_changes_nothing(tmp_path):
    with pytest.raises(RuntimeError), replaced_folder(tmp_path / "deep" / "preset"):
        raise RuntimeError
    assert names(tmp_path) == []


def test_a_folder_whose_new_one_cannot_be_renamed_stays(tmp_path, monkeypatch):
    write_folder(tmp_path / "preset")
    rename = os.rename

    def refuse(source, target):
        if pathlib.Path(source).name == "preset" and pathlib.Path(target) == tmp_path / "preset":
            raise PermissionError
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(PermissionError):
        write_folder(tmp_path / "preset")
    assert names(tmp_path) == ["preset"] and (tmp_path / "preset" / "file").read_text() == "new"


def test_two_writers_that_begin_at_once_both_end_well(tmp_path, monkeypatch):
    """A new folder, not locked yet, is taken for a leaving by somebody else: its maker takes another."""
    mkdir, gone = pathlib.Path.mkdir, []

    def mkdir_and_lose(path, *args, **kwargs):
        mkdir(path, *args, **kwargs)
        if path.name.endswith(".partial") and not gone:
            gone.append(path)
            shutil.rmtree(path)

    monkeypatch.setattr(pathlib.Path, "mkdir", mkdir_and_lose)
    write_file(tmp_path / "thing")
    assert gone and names(tmp_path) == ["thing"]


def test_bytes_are_on_the_disk_when_they_are_written(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    write_synced(tmp_path / "file", b"content")
    assert len(synced) == 1 and (tmp_path / "file").read_bytes() == b"content"
