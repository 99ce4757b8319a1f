#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A web server on this machine alone, for the store's test: it knows ranges, and how to fail.

    range-server.py FOLDER LOG -- COMMAND...

Serves FOLDER's files as /KIND/NAME and runs COMMAND with the server's address appended. KIND: ok,
norange (always the whole file), drop (the connection breaks after a part of what is left), slow,
wrong (one byte is another), long (some bytes more), moved (a redirection to ok), gone (404), busy
(503 the first two times). LOG gets a line "KIND NAME RANGE-OR-DASH" for each request.
"""
import http.server
import os
import subprocess
import sys
import threading
import time

FOLDER, LOG = sys.argv[1:3]
refused = {}


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, kind, data, start):
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range",
                             "bytes %d-%d/%d" % (start, len(data) - 1, len(data)))
        rest = data[start:]
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if kind == "drop" and len(rest) > 1000:
            self.wfile.write(rest[:max(len(rest) // 3, 1000)])
            self.close_connection = True
        elif kind == "slow":
            for at in range(0, len(rest), 2000):
                self.wfile.write(rest[at:at + 2000])
                self.wfile.flush()
                time.sleep(0.05)
        else:
            self.wfile.write(rest)

    def do_GET(self):
        _, kind, name = self.path.split("/", 2)
        wanted = self.headers.get("Range")
        with open(LOG, "a") as log:
            log.write("%s %s %s\n" % (kind, name, wanted or "-"))
        if kind == "gone":
            self.send_error(404)
            return
        if kind == "moved":
            self.send_response(302)
            self.send_header("Location", "/ok/" + name)
            self.end_headers()
            return
        if kind == "busy" and refused.setdefault(name, 0) < 2:
            refused[name] += 1
            self.send_error(503)
            return
        with open(os.path.join(FOLDER, name), "rb") as file:
            data = file.read()
        if kind == "wrong":
            data = data[:100] + bytes([data[100] ^ 1]) + data[101:]
        if kind == "long":
            data += b"more than there should be"
        start = int(wanted[6:-1]) if wanted and kind != "norange" else 0
        if start and start >= len(data):
            self.send_error(416)
            return
        try:
            self.answer(kind, data, start)
        except (BrokenPipeError, ConnectionResetError):
            pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    command = sys.argv[4:] + ["http://127.0.0.1:%d" % server.server_address[1]]
    return subprocess.run(command, check=False).returncode


sys.exit(main())
