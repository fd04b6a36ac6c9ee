"""Downloads: from a server of this test's, which does what networks do."""

import errno
import http.server
import os
import re
import socket
import ssl
import threading
import time
from multiprocessing.pool import ThreadPool
from pathlib import Path

import common
import keras
import pytest
from conftest import call, check_failure, parsed, posix, write_npz

NAME, INDEX = "imdb.npz", "imdb_word_index.json"


@pytest.fixture
def home(monkeypatch, tmp_path):
    """Keras's folder, not there yet."""
    monkeypatch.setattr(common, "KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


@pytest.fixture
def server(monkeypatch, home):
    """An address for Keras's files: server.get(handler) is what it does, server.paths counts.

    At first it has both files, which are the word "right".
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            httpd.paths.append(self.path)
            httpd.get(self)

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.handle_error = lambda *args: None  # a client that has gone is what is tested
    httpd.paths, httpd.stop, httpd.get = [], threading.Event(), serve(b"right")
    threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setattr(common, "ORIGIN", f"http://127.0.0.1:{httpd.server_port}/")
    monkeypatch.setattr(common, "NETWORK_SECONDS", 1)
    monkeypatch.setattr(common, "DIGESTS", dict.fromkeys(common.DIGESTS, common.digest(b"right")))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield httpd
    httpd.stop.set()
    httpd.shutdown()
    httpd.server_close()


def serve(content, length=None):
    def get(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(length or len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return get


def fails(words, seconds=5):
    """download() ends in an OSError that says `words`, within some seconds, and leaves nothing."""
    start = time.monotonic()
    with pytest.raises(OSError, match="cannot download") as error:
        common.download(NAME)
    assert time.monotonic() - start < seconds
    assert re.search(words, str(error.value)) and common.ORIGIN + NAME in str(error.value)
    folder = Path(common.KERAS_HOME, "datasets")
    assert not folder.exists() or list(folder.iterdir()) == []


def test_address_and_hashes_are_those_of_keras(monkeypatch):
    files = {}

    def get_file(fname, origin, file_hash, **kwargs):
        files[fname] = origin, file_hash
        raise FileNotFoundError

    for loader in keras.datasets.imdb.load_data, keras.datasets.imdb.get_word_index:
        monkeypatch.setitem(loader.__globals__, "get_file", get_file)
        with pytest.raises(FileNotFoundError):
            loader()
    assert list(files) == list(common.DIGESTS) == [NAME, INDEX]
    assert [origin for origin, _ in files.values()] == [common.ORIGIN + name for name in files]
    assert files[NAME][1][:16] == common.DIGESTS[NAME]
    # of the index Keras has the md5; test_words.py asks the real file


# ------------------------------------------------------------------------- what does not come


def silence(handler):
    handler.server.stop.wait(60)


def half_of_it(handler):
    serve(b"x" * 10, 1_000)(handler)
    silence(handler)


OTHER = "what came is not that file, or not all of it"
ANSWERS = {
    "404": (lambda handler: handler.send_error(404), "HTTP Error 404"),
    "500": (lambda handler: handler.send_error(500), "HTTP Error 500"),
    "silence": (silence, "no answer|timed out"),  # the thread or urlopen, whichever is first
    "half of it": (half_of_it, "timed out"),
    "no HTTP": (lambda handler: handler.wfile.write(b"login please\n"), "login please"),
    "a page": (serve(b"login please"), OTHER),
    "too short": (serve(b"ok", 1_000), OTHER),
    "empty": (serve(b""), OTHER),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_what_a_server_does_instead_is_said_and_nothing_is_kept(server, case):
    server.get, words = ANSWERS[case]
    fails(words, seconds=4)


def test_an_answer_without_end_is_cut(server, monkeypatch):
    sent = []

    def get(handler):
        handler.send_response(200)
        handler.end_headers()
        while not server.stop.is_set():
            handler.wfile.write(bytes(1 << 16))
            sent.append(1 << 16)

    server.get = get
    monkeypatch.setattr(common, "MEMBER_BYTES", 1 << 20)
    fails(OTHER, seconds=30)
    assert sum(sent) < 16 << 20  # what was asked for, and what the sockets hold


def test_a_connection_that_is_refused_says_so(home, monkeypatch):
    fails("refused")  # by conftest's proxy, as by a proxy that is down
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr(common, "ORIGIN", f"http://127.0.0.1:{taken.getsockname()[1]}/")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        fails("refused")


def test_a_certificate_that_is_not_trusted_says_so(server, monkeypatch):
    def wrap_socket(*args, **kwargs):
        raise ssl.SSLCertVerificationError("self-signed")

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap_socket)
    monkeypatch.setattr(common, "ORIGIN", common.ORIGIN.replace("http:", "https:"))
    fails("self-signed")


def test_a_lookup_that_hangs_is_given_up(server, monkeypatch):
    """Several dead addresses behind one name: each takes the whole timeout of a connection."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: server.stop.wait(60))
    fails("no answer in 1 seconds", seconds=4)


def test_a_run_waits_the_ten_seconds_of_the_guide(home, monkeypatch):
    timeouts, connect = [], socket.create_connection

    def create_connection(address, timeout, *args, **kwargs):
        timeouts.append(timeout)
        return connect(address, timeout, *args, **kwargs)

    monkeypatch.setattr(socket, "create_connection", create_connection)
    fails("refused")
    assert timeouts == [10]


@posix
def test_half_a_download_is_not_left_where_the_whole_one_is_looked_for(server, monkeypatch):
    import resource

    content = bytes(2 << 20)
    server.get = serve(content)
    monkeypatch.setitem(common.DIGESTS, NAME, common.digest(content))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))  # as a full disk
    try:
        fails(os.strerror(errno.EFBIG))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


# -------------------------------------------------------------------------------- what comes


@pytest.mark.parametrize("name", [NAME, INDEX])
def test_a_download_lies_in_the_cache_whole_and_is_not_asked_for_again(server, capsys, name):
    path = common.download(name)
    assert path == os.path.join(common.KERAS_HOME, "datasets", name)
    assert Path(path).read_bytes() == b"right" and os.listdir(Path(path).parent) == [name]
    assert socket.getdefaulttimeout() is None
    assert f"{common.ORIGIN}{name} (5 bytes)" in capsys.readouterr().out  # minutes of silence else
    Path(path).write_bytes(b"the user's own")  # such as one made from the authors' archive
    assert common.download(name) == path and server.paths == [f"/{name}"]  # one connection
    assert Path(path).read_bytes() == b"the user's own"


def test_of_two_first_runs_both_have_the_file(server):
    both = threading.Barrier(2, timeout=30)

    def get(handler):
        both.wait()
        serve(b"right")(handler)

    server.get = get
    with ThreadPool(2) as pool:
        (path,) = set(pool.map(common.download, [NAME] * 2))
    assert os.listdir(Path(path).parent) == [NAME]


def test_who_comes_second_takes_what_is_there(server, monkeypatch):
    def replace(new, path):
        Path(path).write_bytes(b"right")
        raise PermissionError("as on Windows, where the other run has it open")

    monkeypatch.setattr(os, "replace", replace)
    assert Path(common.download(NAME)).read_bytes() == b"right"


# ---------------------------------------------------------------------------------- what a run does

TINY = ("--epochs", "1", "--units", "4")


def test_without_a_network_imdb_fails_and_auto_warns_and_trains_on_the_toy(home):
    check_failure(call("averaged", "--data", "imdb"), "cannot download")
    result = call("averaged", "--subset", "64", *TINY)
    assert parsed(result)["data"] == "toy" and not home.exists()
    (warning,) = result.stderr.splitlines()
    assert warning.startswith("warning: cannot download")
    assert "docs/data.md" in warning
    assert "generated toy reviews: a score on them says nothing about IMDB" in warning


@pytest.mark.parametrize("data", ["auto", "imdb"])
def test_a_file_in_the_cache_is_read_whatever_its_hash(home, data):
    folder = home / "datasets"
    folder.mkdir(parents=True)
    write_npz(folder / NAME)
    folder.chmod(0o555)  # no need to write there; (root may all the same)
    result = call("averaged", "--data", data, *TINY)
    folder.chmod(0o755)
    assert parsed(result)["data"] == "imdb" and parsed(result)["n"] == "20"
    assert result.stderr == "" and os.listdir(folder) == [NAME]


def test_only_what_would_be_downloaded_may_be_deleted(home, tmp_path):
    """Nobody is told to delete a file of one's own, wherever it lies and whatever it is called."""
    folder = home / "datasets"
    folder.mkdir(parents=True)
    for path in folder / NAME, folder / "my.npz", home / NAME, tmp_path / NAME:
        path.write_bytes(b"login please")
        result = call("averaged", "--data", "imdb" if path == folder / NAME else path)
        check_failure(result, f"cannot read {path}: ")
        assert path.read_bytes() == b"login please"
        advice = "; delete it, and it will be downloaded" in result.stderr
        assert advice == (path == folder / NAME)
