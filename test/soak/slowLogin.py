"""Stands between one client and PostgreSQL, and keeps what follows the client's first message until /tmp/slow-login.go is there."""

import os
import socket
import threading
import time


def main():
    client, _ = socket.create_server(("127.0.0.1", 5499)).accept()
    server = socket.create_connection(("127.0.0.1", 5432))
    threading.Thread(target=answers, args=(server, client)).start()
    server.sendall(client.recv(65536))
    while data := client.recv(65536):
        open("/tmp/slow-login.waits", "w", encoding="utf-8").close()
        while not os.path.exists("/tmp/slow-login.go"):
            time.sleep(0.05)
        server.sendall(data)


def answers(server, client):
    while data := server.recv(65536):
        client.sendall(data)
    client.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    main()
