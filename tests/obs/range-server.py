#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Web servers on this machine alone, for the store's test: they speak TLS and know how to fail.

    range-server.py FOLDER LOG CERTIFICATES -- COMMAND...

Serves FOLDER's files as /KIND/NAME, see KINDS, and runs COMMAND with the servers' port numbers
appended: one server for each certificate in CERTIFICATES (right, name, stranger, expired), and at
last one without TLS, which nobody should ever ask. LOG gets a line "KIND NAME RANGE-OR-DASH" for
each request and a line "connection SERVER" for each connection.
"""
import http.server
import os
import ssl
import subprocess
import sys
import threading
import time

KINDS = """
ok          the file, or the range of it that is asked for
norange     always the whole file
drop        breaks the connection after a part of what is left
dropwhole   the same, and knows no ranges
crumbs      breaks the connection after 10 bytes more
changed     drop, but the first response is of another file
changing    drop, and each response is of another file
other       a range that nobody asked for
refuse      416 for every range
wrong       one byte is another
long        the file and more; says so
longer      the file and more; does not say how much
short       half the file; says so, and how long the whole is
shorter     half the file; does not say how much
empty       0 bytes; says so
slow        2000 bytes every 50 ms
drip        10 bytes every 50 ms
stall       half of what is left, then nothing for a minute
moved       a redirect to ok
loop        a redirect to itself
tohttp      a redirect to the same file without TLS
tofile      a redirect to the same file on the disk
gone, forbidden     404, 403
busy        503 the first two times
down        always 503
later       503 the first time, with the wish to be asked again in a second
"""

FOLDER, LOG, CERTIFICATES = sys.argv[1:4]
SERVERS = ("right", "name", "stranger", "expired", "plain")
lock = threading.Lock()
seen = {}
ports = {}


def log(text):
    with lock, open(LOG, "a") as file:
        file.write(text + "\n")


def flip(data, count):
    """Another file of the same length for each count; 0: the file itself."""
    return data[:100] + bytes([data[100] ^ (count & 255)]) + data[101:]


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def redirect(self, location):
        self.send_response(302)
        self.send_header("Location", location)
        self.end_headers()

    def refuse(self, size):
        self.send_response(416)
        if size is not None:
            self.send_header("Content-Range", "bytes */%d" % size)
        self.end_headers()

    def send_body(self, kind, rest):
        if kind in ("drop", "dropwhole", "changed", "changing") and len(rest) > 1000:
            self.wfile.write(rest[:max(len(rest) // 3, 1000)])
        elif kind == "crumbs":
            self.wfile.write(rest[:10])
        elif kind == "stall":
            self.wfile.write(rest[:len(rest) // 2])
            self.wfile.flush()
            time.sleep(60)
        elif kind in ("slow", "drip"):
            step = 2000 if kind == "slow" else 10
            for at in range(0, len(rest), step):
                self.wfile.write(rest[at:at + step])
                self.wfile.flush()
                time.sleep(0.05)
        else:
            self.wfile.write(rest)

    def answer(self, kind, data, start):
        if kind == "other" and start:
            start += 1
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range",
                             "bytes %d-%d/%d" % (start, len(data) - 1, len(data)))
        if kind not in ("longer", "shorter"):
            self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.send_body(kind, data[start:])

    def send_file(self, kind, name, count):
        with open(os.path.join(FOLDER, name), "rb") as file:
            data = file.read()
        wanted = self.headers.get("Range")
        start = int(wanted[6:-1]) if wanted and kind not in ("norange", "dropwhole") else 0
        if kind == "wrong" or (kind == "changed" and not count):
            data = flip(data, 1)
        elif kind == "changing":
            data = flip(data, count + 1)
        elif kind in ("long", "longer"):
            data += data
        elif kind in ("short", "shorter"):
            data = data[:len(data) // 2]
        elif kind == "empty":
            data = b""
        if start and (start >= len(data) or kind == "refuse"):
            self.refuse(None if kind == "refuse" else len(data))
        else:
            self.answer(kind, data, start)

    def do_GET(self):
        _, kind, name = self.path.split("/", 2)
        log("%s %s %s" % (kind, name, self.headers.get("Range") or "-"))
        with lock:
            count = seen.get(self.path, 0)
            seen[self.path] = count + 1
        if kind in ("gone", "forbidden", "down") or (kind == "busy" and count < 2):
            self.send_error({"gone": 404, "forbidden": 403}.get(kind, 503))
        elif kind == "later" and not count:
            self.send_response(503)
            self.send_header("Retry-After", "1")
            self.end_headers()
        elif kind == "moved":
            self.redirect("/ok/" + name)
        elif kind == "loop":
            self.redirect(self.path)
        elif kind == "tohttp":
            self.redirect("http://127.0.0.1:%d/ok/%s" % (ports["plain"], name))
        elif kind == "tofile":
            self.redirect("file://" + os.path.join(FOLDER, name))
        else:
            self.send_file(kind, name, count)

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass  # the client has gone, or never trusted this server


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, name):
        self.name = name
        self.context = None
        if name != "plain":
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(os.path.join(CERTIFICATES, name + ".pem"))
        super().__init__(("127.0.0.1", 0), Handler)
        ports[name] = self.server_address[1]

    def get_request(self):
        connection, address = super().get_request()
        log("connection " + self.name)
        if self.context:  # the handshake is made by the connection's own thread
            connection = self.context.wrap_socket(connection, server_side=True,
                                                  do_handshake_on_connect=False)
        return connection, address

    def shutdown_request(self, request):
        # A body without a length ends with TLS's own end: to newer libraries it is cut off without.
        try:
            request.settimeout(0.1)
            request.unwrap()
        except (AttributeError, OSError, ValueError):
            pass  # plain, or gone already
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main():
    for name in SERVERS:
        threading.Thread(target=Server(name).serve_forever, daemon=True).start()
    command = sys.argv[5:] + [str(ports[name]) for name in SERVERS]
    return subprocess.run(command, check=False).returncode


sys.exit(main())
