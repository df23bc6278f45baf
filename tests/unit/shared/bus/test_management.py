"""The management API as it is on a bad day: what it breaks off is told as not to be had."""

import socket
import threading

import pytest

from shared.bus.operations.management import Management, ManagementUnavailable


def test_an_answer_that_is_broken_off_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"name":')

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ManagementUnavailable, match="does not answer"):
            Management(f"http://127.0.0.1:{server.getsockname()[1]}").get("queues")
        thread.join()
