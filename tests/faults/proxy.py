"""A TCP proxy between services and a server, which can let connections go silent without closing them."""

import contextlib
import select
import socket
import threading

_BYTES = 65536


class Proxy:
    """Forwards every connection to ``port`` on this machine. ``freeze`` makes today's connections half-open for ever:
    nothing passes any more and neither side is told; connections made later work, unless ``new_ones_too``, which holds
    until ``thaw`` and takes connections in without a word."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._lock = threading.Lock()
        self._alive: list[tuple[socket.socket, socket.socket]] = []
        self._frozen: list[tuple[socket.socket, ...]] = []
        self._silent = False
        self._stopped = False
        self.frozen_since = 0
        """Connections taken in without a word since the last ``freeze``."""
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def forwarding(self) -> int:
        """Connections that work."""
        return len(self._alive)

    def freeze(self, new_ones_too: bool = False) -> int:
        """Returns how many connections are silent from now on."""
        with self._lock:
            count = len(self._alive)
            self._frozen += self._alive
            self._alive = []
            self._silent, self.frozen_since = new_ones_too, 0
        return count

    def thaw(self) -> None:
        """From now on new connections work; the silent ones stay silent."""
        with self._lock:
            self._silent = False

    def stop(self) -> None:
        self._stopped = True

    def _run(self) -> None:
        while not self._stopped:
            with self._lock:
                peers = {a: b for pair in self._alive for a, b in (pair, pair[::-1])}
            readable, _, _ = select.select([self._listener, *peers], [], [], 0.05)
            for ready in readable:
                if ready is self._listener:
                    self._accept()
                elif ready in peers:  # eventlet's select may still name a socket of the round before, closed since
                    self._forward(ready, peers[ready])
        for ends in [*self._alive, *self._frozen]:
            for end in ends:
                end.close()
        self._listener.close()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        with self._lock:
            if self._silent:
                self._frozen.append((client,))
                self.frozen_since += 1
                return
        try:
            server = socket.create_connection(self._target, timeout=2)
        except OSError:
            client.close()  # the server is down, and the client hears it as it would without the proxy
            return
        for end in (client, server):
            end.settimeout(5)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._alive.append((client, server))

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with self._lock:
            if not any(source in pair for pair in self._alive):
                return
        try:
            data = source.recv(_BYTES)
            if data:
                target.sendall(data)
                return
        except OSError:
            pass
        with self._lock:
            self._alive = [pair for pair in self._alive if source not in pair]
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.close()
