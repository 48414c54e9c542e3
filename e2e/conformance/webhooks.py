"""The company's web server for pywa: every delivery goes through pywa's own validator and parser."""

import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from checks import Mailbox
from pywa import utils

VERIFY_TOKEN = "rahasia-verifikasi"


class _Complaints(logging.Handler):
    """pywa swallows what it cannot parse and says so in its log."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


class Webhooks:
    """Starts at once. `updates` are pywa's objects: Message, CallbackButton, CallbackSelection, MessageStatus, ..."""

    def __init__(self, wa):
        self.updates = Mailbox()
        self.refused = []
        self.complaints = _Complaints()
        logging.getLogger("pywa").addHandler(self.complaints)
        for on in (wa.on_message, wa.on_callback_button, wa.on_callback_selection, wa.on_flow_completion, wa.on_message_status):
            on(lambda _, update: self.updates.put(update))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(wa))
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def first(self, kind, fits, what):
        """The first update of this class that fits."""
        return self.updates.first(lambda update: isinstance(update, kind) and fits(update), what)

    def _handler(self, wa):
        webhooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                body, status = wa.webhook_challenge_handler(query.get(utils.HUB_VT), query.get(utils.HUB_CH))
                self.answer(body or "", status)

            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                refusal = wa.webhook_update_validator(raw, self.headers.get(utils.HUB_SIG))
                if refusal:
                    webhooks.refused.append((refusal, raw))
                    return self.answer(*refusal)
                self.answer(*wa.webhook_update_handler(raw))

            def answer(self, body, status):
                encoded = body.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(encoded)))
                self.end_headers()
                self.wfile.write(encoded)

            def log_message(self, *_):
                pass

        return Handler
