"""One process at a time, and no lock that outlives its holder."""

import os
import signal

import pytest

from keras_vae.core import locks
from keras_vae.core.locks import FolderLock
from processes import holder, kill


def test_another_process_is_named_and_a_killed_one_holds_nothing(tmp_path):
    with holder(tmp_path) as other:
        named = (
            f"`folder` must be used by one process at a time. Received: {tmp_path}, in which 'process {other.pid} of "
        )
        for _ in range(2):  # asking does not take it away
            with pytest.raises(BlockingIOError) as caught:
                FolderLock(tmp_path).acquire()
            assert str(caught.value).startswith(named)
            assert not FolderLock(tmp_path).acquire_abandoned()
        kill(other)
        with FolderLock(tmp_path) as lock:
            assert lock.held


def test_within_a_process_it_is_held_until_the_last_lets_go(tmp_path):
    one, two = FolderLock(tmp_path).acquire(), FolderLock(tmp_path)
    with two:
        one.release()
        assert two.held and not one.held and not FolderLock(tmp_path).acquire_abandoned()
    one.release()  # once more is no error
    assert not two.held
    three = FolderLock(tmp_path)
    assert three.acquire_abandoned()
    three.release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
def test_a_worker_that_outlives_the_holder_does_not_hold_the_folder(tmp_path):
    fork = """pid = os.fork()
        if not pid:
            time.sleep(60)
        open(sys.argv[2] + "/worker", "w").write(str(pid))"""
    with holder(tmp_path, fork) as other:
        kill(other)
        with FolderLock(tmp_path) as lock:
            assert lock.held
        os.kill(int((tmp_path / "worker").read_text()), signal.SIGKILL)


@pytest.mark.skipif(locks.fcntl is None, reason="fcntl")
def test_a_file_system_without_locks_is_used_without(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(locks.fcntl, "lockf", unsupported)
    with pytest.warns(UserWarning, match="cannot be locked .*Function not implemented"), FolderLock(tmp_path) as lock:
        assert lock.held
    assert not FolderLock(tmp_path).acquire_abandoned()  # nobody knows who is at work there
