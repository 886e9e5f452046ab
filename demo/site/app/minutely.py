"""The shop's cron job: records that the minute was worked on."""

import socket

from database import transaction

if __name__ == "__main__":
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO cron_runs (minute, host) VALUES (date_trunc('minute', now()), %s)",
            (socket.gethostname(),),
        )
