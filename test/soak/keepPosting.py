"""Writes into the database blog as the site's role, in turn through a session that lasts and through a new login, until it is ended.

Usage: keepPosting.py LEDGER. A line of the ledger: ok, or what went wrong.
"""

import sys
import time

import psycopg2


def main(ledger):
    lasting = log_in()
    while True:
        for session in (lasting, None):
            try:
                post(session or log_in())
                ledger.write("ok\n")
            except psycopg2.Error as error:
                ledger.write(f"{error!r}\n")
        time.sleep(0.02)


def log_in():
    session = psycopg2.connect("host=127.0.0.1 dbname=blog user=shop password=writer")
    session.autocommit = True
    return session


def post(session):
    with session.cursor() as cursor:
        cursor.execute("insert into posts default values")


if __name__ == "__main__":
    with open(sys.argv[1], "a", buffering=1, encoding="utf-8") as opened:
        main(opened)
