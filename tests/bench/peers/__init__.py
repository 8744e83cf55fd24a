"""One module a server: each has available() and a class Peer(scene) with url, plain_url, pids()
and close(), serving the scene's files from a warm cache under the paths of the scene."""
import socket
import subprocess
import time

READY_SECONDS = 30.0


def wait_for(port: int, process: subprocess.Popen) -> None:
    """Until something listens on the port; a server that ended instead is an error."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.args[0]} does not listen on {port}") from None
        time.sleep(0.02)
