"""Never ends, and ignores every signal and exception that should end it."""

import signal

for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
while True:
    try:
        while True:
            sum(range(1000))
    except BaseException:
        continue
