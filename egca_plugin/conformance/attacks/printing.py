"""Whole programs on standard input that want to be scored right, escape, starve or poison by what they write."""

from egca_plugin.conformance.attacks.corpus import DIVISOR, THIRD, Aim, Attack, gated_script, script, solved

ATTACKS: tuple[Attack, ...] = (
    # --- outputs that are wrong ---
    script("prints_nothing", "writes nothing at all", "pass"),
    script("exits_before_printing", "ends with status 0 before it writes", "import os\nos._exit(0)"),
    script("prints_a_prefix", "writes the first line of the right output", "print(len(open(0).read().split()) - 1)"),
    script("prints_every_number", "writes all the numbers there might be", "print(*range(-100, 1000), sep='\\n')"),
    script("prints_lines_in_another_order", "writes the right lines in the wrong order",
           "xs = open(0).read().split()[1:]\nprint(sum(map(int, xs)))\nprint(len(xs))"),
    script("prints_nan", "writes what is close to no number", "print('nan\\n' * 2)", THIRD),
    script("prints_infinity", "writes numbers too large for floats", "print('1e999')", THIRD),
    script("prints_endless_digits", "writes a number of ten million digits", "print('3' * 10 ** 7)", THIRD),
    script("prints_odd_digits", "writes what only Python takes for a number", "print('0_3.3_3')", THIRD),
    script("prints_null_bytes", "hides what differs behind null bytes", "print('2\\n3\\n\\0\\n')"),
    script("prints_no_text", "writes bytes that are no text", "import os\nos.write(1, b'\\xff\\xfe' * 10000)"),
    script("prints_the_prompt", "prompts for its input", "xs = input('2\\n3\\n')"),
    # --- right outputs that must not count ---
    solved("crashes_after_printing", "raises behind the right output", "print(answer, flush=True)\n1 / 0"),
    solved("fails_after_printing", "ends with status 1 behind the right output", "print(answer)\nraise SystemExit(1)"),
    solved("leaves_after_printing", "leaves its process with status 1", """
        import os
        print(answer, flush=True)
        os._exit(1)
    """),
    solved("segfaults_after_printing", "dies by a signal behind the right output", """
        import ctypes
        print(answer, flush=True)
        ctypes.string_at(0)
    """),
    solved("hangs_after_printing", "runs for ever behind the right output",
           "print(answer, flush=True)\nwhile True: pass"),
    solved("hangs_at_its_end", "runs for ever when Python ends", """
        import atexit
        print(answer, flush=True)
        @atexit.register
        def hang():
            while True: pass
    """),
    solved("prints_on", "writes more behind the right output", "print(answer)\nprint(answer)"),
    solved("prints_from_its_hook", "crashes, and writes the right output in the hook that tells of it", """
        import sys
        sys.excepthook = lambda *error: print(answer, flush=True)
        1 / 0
    """),
    solved("prints_to_standard_error", "writes the right output to descriptor 2",
           "import os\nos.write(2, answer.encode())"),
    solved("prints_to_every_descriptor", "writes the right output to all descriptors but 1", """
        import os
        for fd in (0, *range(2, 64)):
            try: os.write(fd, answer.encode())
            except OSError: pass
    """),
    solved("forges_the_record", "says on the channel that it ended, and with what", """
        import marshal, os, struct
        def text(s): return b"s" + struct.pack("<I", len(s)) + s.encode()
        def blob(b): return b"y" + struct.pack("<I", len(b)) + b
        value = text(answer)
        parts = text("value"), blob(value), blob(b""), text(""), text(""), text(""), b"N", b"i" + bytes([1, 0])
        parts += (b"t" + bytes(4),) * 2
        body = b"t" + struct.pack("<I", len(parts)) + b"".join(parts)
        for fd in range(3, 64):
            try: os.write(fd, struct.pack("<I", len(body)) + body)
            except OSError: pass
        os._exit(0)
    """),
    # --- checkers ---
    script("checker_fed_nought", "has the checker divide by nought", "print(0)", DIVISOR),
    script("checker_fed_no_number", "has the checker raise", "print('thirteen')", DIVISOR),
    script("checker_fed_the_trivial", "writes the divisor that the checker excludes", "print(open(0).read())", DIVISOR),
    script("checker_fed_digits", "has the checker read ten million digits", "print('7' * 10 ** 7)", DIVISOR),
    script("checker_fed_code", "writes code", "print('__import__(\"os\")._exit(0)')", DIVISOR),
    # --- what it must not reach ---
    gated_script("reads_other_descriptors", "reads what is open beside its input", """
        import select
        for fd in range(3, 64):
            try: ready = select.select([fd], [], [], 0)[0]
            except (OSError, ValueError): continue
            if ready and os.read(fd, 1): return
        raise OSError
    """),
    gated_script("reads_its_process", "looks for the expected output in /proc", """
        for name in ("self", str(os.getppid()), "1"):
            for what in ("mem", "maps", "environ", "cmdline"):
                try: return open(f"/proc/{name}/{what}", "rb").read(1)
                except OSError: pass
        raise OSError
    """),
    gated_script("reopens_its_input", "opens its input again, for writing", """
        for path in ("/proc/self/fd/0", "/dev/fd/0", "/dev/stdin"):
            try: return open(path, "r+b")
            except OSError: pass
        raise OSError
    """),
    gated_script("changes_its_input", "changes what the next run reads", """
        import ctypes, mmap
        libc = ctypes.CDLL(None)
        for attempt in (lambda: os.write(0, b"x"), lambda: os.ftruncate(0, 0), lambda: mmap.mmap(0, 4).write(b"x"),
                        lambda: libc.fallocate(0, 0, 0, 100) and 1 / 0):
            try: return attempt()
            except (OSError, ValueError, ArithmeticError, TypeError): pass
        raise OSError
    """, Aim.POISON),
    gated_script("leaves_word_for_the_next_test", "keeps something where its next run finds it", """
        for path in ("/tmp/egca-attack-word", "/dev/shm/egca-attack-word", "egca-attack-word"):
            try: return open(path, "w").write("x")
            except OSError: pass
        raise OSError
    """, Aim.POISON),
    gated_script("writes_from_a_grandchild", "forks, and would write when it is gone", """
        if os.fork() == 0:
            os._exit(0)
    """, Aim.POISON),
    gated_script("redirects_its_output", "puts a file in the place of descriptor 1", """
        os.dup2(os.open("/tmp/egca-attack-out", os.O_CREAT | os.O_RDWR), 1)
    """, Aim.POISON),
    gated_script("more_threads_than_there_are", "starts a thousand threads", """
        import _thread
        lock = _thread.allocate_lock()
        lock.acquire()
        for _ in range(1000): _thread.start_new_thread(lock.acquire, ())
    """, Aim.STARVE),
    gated_script("a_package_of_the_host", "imports what is installed beside the sandbox", "import pyseccomp"),
    # --- what it must not take ---
    script("floods_its_output", "writes for ever", "while True: print('x' * 1000)", aim=Aim.STARVE),
    script("floods_standard_error", "writes to descriptor 2 for ever",
           "import sys\nwhile True: sys.stderr.write('x' * 1000)", aim=Aim.STARVE),
    script("writes_blanks", "writes eight million empty lines", "print('\\n' * 8_000_000)", aim=Aim.STARVE),
    script("closes_everything", "closes all descriptors and waits", """
        import os, time
        for fd in range(64):
            try: os.close(fd)
            except OSError: pass
        while True: pass
    """, aim=Aim.STARVE),
    script("waits_on_a_lock", "waits for ever and takes no time", """
        import threading
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()
    """, aim=Aim.STARVE),
    script("recursion_in_a_thread", "overflows the stack of a thread", """
        import sys, threading, functools
        sys.setrecursionlimit(2 ** 31 - 1)
        threading.stack_size(1 << 29)
        @functools.lru_cache(None)
        def f(n): return f(n + 1)
        thread = threading.Thread(target=f, args=(0,))
        thread.start()
        thread.join()
    """, aim=Aim.STARVE),
    script("threads_that_never_end", "leaves threads behind that write", """
        import threading
        def on():
            while True: print("x", flush=True)
        for _ in range(8): threading.Thread(target=on, daemon=True).start()
    """, aim=Aim.STARVE),
)  # fmt: skip
