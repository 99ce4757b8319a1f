#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
One request to a running OBS Studio through its own remote control (obs-websocket 5), so that the
demo presses the same buttons as a user does.

    OBS_REMOTE_PASSWORD=... obs-remote.py PORT REQUEST [JSON]

Prints the answer's data as one line of JSON; exits 1 when OBS refuses and 2 when it is not there.
"""
import base64
import hashlib
import json
import os
import sys

import websocket

IDENTIFY, REQUEST = 1, 6


def digest(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def identify(link):
    hello = json.loads(link.recv())["d"]
    data = {"rpcVersion": 1, "eventSubscriptions": 0}
    if "authentication" in hello:
        salt, challenge = (hello["authentication"][key] for key in ("salt", "challenge"))
        password = os.environ.get("OBS_REMOTE_PASSWORD", "")
        data["authentication"] = digest(digest(password + salt) + challenge)
    link.send(json.dumps({"op": IDENTIFY, "d": data}))
    link.recv()


def main():
    port, request = sys.argv[1], sys.argv[2]
    data = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
    try:
        link = websocket.create_connection("ws://127.0.0.1:" + port, timeout=20)
        identify(link)
        link.send(json.dumps({"op": REQUEST, "d": {
            "requestType": request, "requestId": "1", "requestData": data}}))
        answer = json.loads(link.recv())["d"]
        link.close()
    except (OSError, ValueError, websocket.WebSocketException) as error:
        print(request + ": no answer from OBS:", error, file=sys.stderr)
        return 2
    status = answer["requestStatus"]
    if not status["result"]:
        print(request, "failed:", status.get("comment", status["code"]), file=sys.stderr)
        return 1
    print(json.dumps(answer.get("responseData", {})))
    return 0


sys.exit(main())
