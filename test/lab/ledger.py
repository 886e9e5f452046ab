"""Writes numbered rows at a fixed rate, however slow the ones before are, and keeps a ledger of what was acknowledged.

Usage: ledger.py PORT RATE LEDGER; the address comes from the shop's settings, with this port. Runs until SIGTERM. Refs of
a run are larger than those of the runs before it. A line of the
ledger: ref, 1 where it was acknowledged, seconds since the epoch when it was due and when it was answered.
"""

import re
import signal
import sys
import threading
import time

import psycopg2

THREADS = 16


def main(port, rate, ledger):
    with open("/etc/shop/shop.env", encoding="utf-8") as lines:
        url = re.search(r"^DATABASE_URL=(.*)$", lines.read(), re.MULTILINE)[1]
    url = re.sub(r":\d+/", f":{port}/", url)
    began = time.time()
    ended = threading.Event()
    # Waited for, not handled: a handler that sets an event while this thread looks at it waits for ever.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    threads = [threading.Thread(target=write, args=(url, began, rate, number, ledger, ended)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    signal.sigwait([signal.SIGTERM])
    ended.set()
    for thread in threads:
        thread.join()


def write(url, began, rate, number, ledger, ended):
    """Every thread has its own session and its own refs: every THREADSth one."""
    first = int(began * 1000) * 1000
    ref = first + number
    session = None
    while not ended.is_set():
        due = began + (ref - first) / rate
        ended.wait(max(0, due - time.time()))
        acknowledged = 1
        try:
            session = session or connect(url)
            with session.cursor() as cursor:
                cursor.execute("insert into ledger (ref) values (%s)", (ref,))
        except psycopg2.Error:
            acknowledged = 0
            session = None
        ledger.write(f"{ref} {acknowledged} {due:.6f} {time.time():.6f}\n")
        ref += THREADS


def connect(url):
    session = psycopg2.connect(url, connect_timeout=10)
    session.autocommit = True
    return session


if __name__ == "__main__":
    with open(sys.argv[3], "a", buffering=1, encoding="utf-8") as opened:
        main(int(sys.argv[1]), int(sys.argv[2]), opened)
