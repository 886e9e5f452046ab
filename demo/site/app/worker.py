"""The shop's background worker: takes jobs from the queue table, one at a time."""

import signal
import socket
import sys
import time

import psycopg2

from database import url

HOST = socket.gethostname()
LOG = "/var/log/shop/worker.log"
# A flag, no event: a signal that comes while an event is looked at would wait for it for ever.
stopping = False


def stop(*_):
    global stopping
    stopping = True


def run(job):
    """The work itself, with an effect no database can roll back."""
    time.sleep(0.01)
    with open(LOG, "a", encoding="utf-8") as log:
        log.write(f"{time.time():.3f} {HOST} job {job}\n")


def take_one(connection):
    """Runs the next job; False when there is none. A stop signal waits for the job's commit."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM jobs WHERE state = 'waiting' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
        )
        row = cursor.fetchone()
        if row is None:
            return False
        run(row[0])
        cursor.execute("UPDATE jobs SET state = 'done', done_at = now() WHERE id = %s", row)
        cursor.execute("INSERT INTO job_runs (job_id, host, ran_at) VALUES (%s, %s, now())", (row[0], HOST))
    return True


def work():
    connection = psycopg2.connect(url(), connect_timeout=10, application_name="shop-worker")
    try:
        while not stopping:
            if not take_one(connection):
                time.sleep(0.2)
    finally:
        connection.close()


def main():
    signal.signal(signal.SIGTERM, stop)
    while not stopping:
        try:
            work()
        except psycopg2.Error as error:
            print(f"database unavailable, trying again: {error}", file=sys.stderr, flush=True)
            time.sleep(1)


if __name__ == "__main__":
    main()
