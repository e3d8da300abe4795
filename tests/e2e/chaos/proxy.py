"""A TCP proxy in this process that can cut its connections, as a network does."""

import contextlib
import socket
import threading


class Proxy:
    """Listens on a free port of loopback and hands everything on to `target`, a (host, port)."""

    def __init__(self, target):
        self._target = target
        self._lock = threading.Lock()
        self._open = set()
        self._refusing = threading.Event()
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.address = f'127.0.0.1:{self._listener.getsockname()[1]}'
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, seconds):
        """Ends every connection and takes none for a while."""
        self._refusing.set()
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            _shut(end)
        timer = threading.Timer(seconds, self._refusing.clear)
        timer.daemon = True
        timer.start()

    def close(self):
        _shut(self._listener)
        self.cut(0)

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing.is_set():
                _shut(near)
                continue
            try:
                far = socket.create_connection(self._target, 5)
                far.settimeout(None)
            except OSError:
                _shut(near)
                continue
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._hand_on, args=(source, sink), daemon=True).start()

    def _hand_on(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        with self._lock:
            self._open -= {source, sink}
        _shut(source)
        _shut(sink)


def _shut(end):
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
