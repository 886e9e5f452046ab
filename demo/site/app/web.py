"""The shop's web app (WSGI)."""

import html
import json
import os
import re
import socket
import tempfile
from urllib.parse import unquote

import psycopg2

from database import transaction

HOST = socket.gethostname()
UPLOADS = "/srv/shop/uploads"
CHUNK = 1 << 16


class Refused(Exception):
    """A request that is answered with an error of the client's making."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status


def as_text(status, text, kind="text/plain"):
    return status, f"{kind}; charset=utf-8", text.encode()


def as_json(status, value):
    return as_text(status, json.dumps(value), "application/json")


def health(_environ):
    with transaction() as cursor:
        cursor.execute("SELECT 1")
    return as_text("200 OK", "ok")


def home(_environ):
    with transaction() as cursor:
        cursor.execute("SELECT name, price_gross FROM products ORDER BY id LIMIT 20")
        products = cursor.fetchall()
    currency = html.escape(os.environ.get("SHOP_CURRENCY", "?"))
    items = "".join(f"<li>{html.escape(name)}: {price} {currency}</li>" for name, price in products)
    page = f"<!doctype html><title>The Example Shop</title><h1>The Example Shop</h1><ul>{items}</ul>"
    return as_text("200 OK", page, "text/html")


def place_order(environ):
    try:
        ref = json.load(environ["wsgi.input"])["ref"]
    except (ValueError, KeyError, TypeError) as error:
        raise Refused("400 Bad Request", 'Expected {"ref": "..."}') from error
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO orders (ref, invoice, product_id)"
            " VALUES (%s, 'R' || nextval('invoice_number'), 1) RETURNING number",
            (str(ref),),
        )
        number = cursor.fetchone()[0]
        cursor.execute("INSERT INTO jobs (kind, order_number) VALUES ('confirm', %s)", (number,))
    return as_json("201 Created", {"number": number, "ref": ref})


def show_order(_environ, number):
    with transaction() as cursor:
        cursor.execute("SELECT number, ref, invoice, status FROM orders WHERE number = %s", (number,))
        row = cursor.fetchone()
    if row is None:
        raise Refused("404 Not Found", "no such order")
    return as_json("200 OK", dict(zip(("number", "ref", "invoice", "status"), row)))


def store_upload(environ, name):
    name = unquote(name)
    if not name or "/" in name or "\0" in name or name.startswith("."):
        raise Refused("400 Bad Request", "not a file name")
    left = int(environ.get("CONTENT_LENGTH") or 0)
    descriptor, temporary = tempfile.mkstemp(prefix=".upload-", dir=UPLOADS)
    try:
        with os.fdopen(descriptor, "wb") as file:
            while left > 0:
                chunk = environ["wsgi.input"].read(min(CHUNK, left))
                if not chunk:
                    raise Refused("400 Bad Request", "the body ended early")
                file.write(chunk)
                left -= len(chunk)
            os.fchmod(file.fileno(), 0o644)
        os.rename(temporary, os.path.join(UPLOADS, name))
    except BaseException:
        os.unlink(temporary)
        raise
    return as_json("201 Created", {"name": name})


def whoami(_environ):
    with transaction() as cursor:
        cursor.execute("SELECT host(inet_server_addr()), current_setting('server_version')")
        address, version = cursor.fetchone()
    return as_json("200 OK", {"host": HOST, "database": address, "version": version})


ROUTES = [
    ("GET", re.compile(r"/health"), health),
    ("GET", re.compile(r"/"), home),
    ("POST", re.compile(r"/orders"), place_order),
    ("GET", re.compile(r"/orders/([0-9]{1,18})"), show_order),
    ("PUT", re.compile(r"/uploads/(.+)"), store_upload),
    ("GET", re.compile(r"/whoami"), whoami),
]


def answer(environ):
    path = environ["RAW_URI"].partition("?")[0]
    for method, pattern, handle in ROUTES:
        match = pattern.fullmatch(path)
        if match and environ["REQUEST_METHOD"] == method:
            return handle(environ, *match.groups())
    raise Refused("404 Not Found", "no such page")


def application(environ, start_response):
    try:
        status, kind, body = answer(environ)
    except Refused as error:
        status, kind, body = as_text(error.status, str(error))
    except psycopg2.Error as error:
        print(f"{environ['RAW_URI']}: {error}", flush=True)
        status, kind, body = as_text("503 Service Unavailable", "database unavailable")
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("X-Served-By", HOST)]
    start_response(status, headers)
    return [body]
