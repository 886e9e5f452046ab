"""Connections to the shop's database."""

import os
from contextlib import contextmanager

import psycopg2

SETTINGS = "/etc/shop/shop.env"


def url():
    """The address from the environment, or from the settings file where cron gives no environment."""
    if "DATABASE_URL" in os.environ:
        return os.environ["DATABASE_URL"]
    with open(SETTINGS, encoding="utf-8") as lines:
        for line in lines:
            name, _, value = line.strip().partition("=")
            if name == "DATABASE_URL":
                return value
    raise RuntimeError(f"{SETTINGS}: DATABASE_URL is missing")


@contextmanager
def transaction():
    """One connection, one transaction: committed at the end, rolled back on any error."""
    connection = psycopg2.connect(url(), connect_timeout=25)
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()
