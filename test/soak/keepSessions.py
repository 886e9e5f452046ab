"""Writes numbered rows through sessions that last, every second time two rows in a transaction, and logs in again after an error.

Usage: keepSessions.py PORT SESSIONS LEDGER; the address comes from the shop's settings, with this port. Runs until SIGTERM. A line of
the ledger: session, first row, last row, and 1 where they were acknowledged.
"""

import re
import signal
import sys
import threading

import psycopg2


def main(port, sessions, ledger):
    with open("/etc/shop/shop.env", encoding="utf-8") as lines:
        url = re.search(r"^DATABASE_URL=(.*)$", lines.read(), re.MULTILINE)[1]
    url = re.sub(r":\d+/", f":{port}/", url)
    ended = threading.Event()
    # Waited for, not handled: a handler that sets an event while this thread looks at it waits for ever.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    threads = [threading.Thread(target=write, args=(url, number, ledger, ended)) for number in range(sessions)]
    for thread in threads:
        thread.start()
    signal.sigwait([signal.SIGTERM])
    ended.set()
    for thread in threads:
        thread.join()


def write(url, number, ledger, ended):
    """Rows of a session begin at a million times its number."""
    row = number * 1_000_000
    session = None
    while not ended.wait(0.01):
        rows = [row, row + 1][: 1 + row % 2]
        acknowledged = 1
        try:
            session = session or psycopg2.connect(url, connect_timeout=10)
            session.autocommit = len(rows) == 1
            with session.cursor() as cursor:
                for one in rows:
                    cursor.execute("insert into kept values (%s)", (one,))
                    ended.wait(0.002 * (len(rows) - 1))
            if len(rows) > 1:
                session.commit()
        except psycopg2.Error:
            acknowledged = 0
            session = None
        ledger.write(f"{number} {rows[0]} {rows[-1]} {acknowledged}\n")
        row += len(rows)


if __name__ == "__main__":
    with open(sys.argv[3], "a", buffering=1, encoding="utf-8") as opened:
        main(int(sys.argv[1]), int(sys.argv[2]), opened)
