"""What SQLite itself does: a loop of prepared INSERTs, some rows a commit, each commit synced before the next begins.

usage: python3 -c PROGRAM FILE ROWS BYTES SECONDS; says as JSON what each commit took, and all of it.
"""

import json
import os
import sqlite3
import sys
import time

file, rows, length, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
# Made before the clock runs.
texts = [os.urandom(length // 2).hex() for _ in range(64)]

store = sqlite3.connect(file, isolation_level=None)
store.execute("PRAGMA journal_mode = WAL")
store.execute("PRAGMA synchronous = FULL")
store.execute("CREATE TABLE plain (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")

took, number, now = [], 0, time.perf_counter
first = began = now()
while began < first + seconds:
    store.execute("BEGIN IMMEDIATE")
    for _ in range(rows):
        number += 1
        # Prepared once: the module keeps a statement under its text.
        store.execute("INSERT INTO plain (body) VALUES (?)", (texts[number % len(texts)],))
    store.execute("COMMIT")
    ended = now()
    took.append(int((ended - began) * 1e6))
    began = ended
store.close()
print(json.dumps({"latencies_us": took, "seconds": began - first}))
