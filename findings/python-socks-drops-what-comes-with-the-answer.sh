#!/usr/bin/env bash
# python-socks 3.2.1, sync.Proxy over HTTP: what a server says first is lost where it comes together with the proxy's answer.
# Expected: RFC 9110 §9.3.6: the tunnel begins behind the blank line that ends the answer's head, so bytes behind it are
# the server's, and the first recv gives them. Seen: connect() reads whatever has come, up to 65,536 bytes, parses the head
# and drops the rest; the first recv waits for a greeting that never comes again (SMTP, IMAP, SSH: the server speaks first).
# Output seen: "apart: b'220 ready\r\n'", then "together: timed out".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -r -- "${folder:?}"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check python-socks==3.2.1
cat > "$folder/try.py" <<'P'
import socket
import threading
import time

from python_socks.sync import Proxy


def greeting(together: bool) -> str:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _ = listener.accept()
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(65536)
        if together:
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n220 ready\r\n")
        else:
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            time.sleep(1)
            client.sendall(b"220 ready\r\n")
        client.recv(1)

    threading.Thread(target=serve, daemon=True).start()
    sock = Proxy.from_url(f"http://127.0.0.1:{listener.getsockname()[1]}").connect("mail.example", 25, timeout=5)
    sock.settimeout(5)
    try:
        return repr(sock.recv(100))
    except TimeoutError:
        return "timed out"


seen = greeting(together=False), greeting(together=True)
print("apart:", seen[0])
print("together:", seen[1])
assert seen == ("b'220 ready\\r\\n'", "timed out"), "the behaviour changed"
P
"$folder/venv/bin/python" "$folder/try.py"
