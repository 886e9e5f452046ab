"""Makes files and folders below a folder and removes them again, as fast as it can, until it is killed: churn.py FOLDER [RESTS].

In each turn one file is made that stays; with RESTS it sleeps so many seconds after each turn.
"""

import os
import shutil
import sys
import time

root = sys.argv[1]
rests = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
turn = 0
while True:
    turn += 1
    deep = f"{root}/{turn % 7}/{turn % 5}"
    os.makedirs(deep, exist_ok=True)
    for number in range(40):
        with open(f"{deep}/{number}", "w") as file:
            file.write("x" * 100)
    for number in range(0, 40, 2):
        os.unlink(f"{deep}/{number}")
    with open(f"{root}/stays-{turn % 200}", "w") as file:
        file.write(str(turn))
    shutil.rmtree(f"{root}/{(turn + 3) % 7}", ignore_errors=True)
    time.sleep(rests)
