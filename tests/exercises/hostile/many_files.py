"""Makes small files by the million."""

n = 0
while True:
    try:
        open(f"/tmp/small{n}", "wb").close()
    except OSError:
        break
    n += 1
