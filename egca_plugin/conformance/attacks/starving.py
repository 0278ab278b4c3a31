"""Programs that take time, memory, processes or the channel, and programs that the compiler or decoder chokes on.

None of them can do lasting harm to a host without a sandbox: what they take is bounded.
"""

from egca_plugin.conformance.attacks.corpus import ROUNDS, Aim, Attack, gated, starve

_FLOOD = """
    import os
    def add(a, b):
        for fd in range(3, 64):
            try:
                for _ in range(400): os.write(fd, {data})
            except OSError: pass
        return None
"""


def _forged(name: str, technique: str, data: str) -> Attack:
    return starve(name, technique, _FLOOD.format(data=data))


ATTACKS: tuple[Attack, ...] = (
    # --- time ---
    starve("busy_loop", "runs for ever", "def add(a, b):\n    while True: pass"),
    starve("busy_loop_at_import", "runs for ever while it is loaded", "while True: pass"),
    starve("sleep", "sleeps for ever", "import time\ndef add(a, b):\n    while True: time.sleep(1e6)"),
    starve("wait_for_input", "waits for input", "def add(a, b): return input()"),
    starve("wait_for_signal", "waits for a signal", "import signal\ndef add(a, b):\n    while True: signal.pause()"),
    starve("swallowed_timeout", "catches whatever a timeout raises, and goes on", """
        def add(a, b):
            while True:
                try:
                    while True: pass
                except BaseException: pass
    """),
    starve("cancelled_timer", "cancels timers and ignores signals, and goes on", """
        import signal
        def add(a, b):
            try:
                signal.alarm(0)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except BaseException: pass
            for number in range(1, 65):
                try: signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError): pass
            while True: pass
    """),
    starve("endless_finally", "hides the loop in a finally", """
        def add(a, b):
            try: return None
            finally:
                while True:
                    try:
                        while True: pass
                    except BaseException: continue
    """),
    starve("stops_itself", "stops itself by SIGSTOP", """
        import os, signal
        def add(a, b): os.kill(os.getpid(), signal.SIGSTOP)
    """),
    starve("huge_power", "a C loop that no signal interrupts", "def add(a, b): return 9 ** 9 ** 9"),
    starve("regex_backtracking", "a regular expression that backtracks for ever", """
        import re
        def add(a, b): return re.match("(a*)*$", "a" * 60 + "b")
    """),
    starve("endless_finalizer", "a finalizer that runs for ever", """
        class Last:
            def __del__(self):
                while True: pass
        def add(a, b): Last()
    """),
    starve("endless_generator", "a result without an end", """
        import itertools
        def add(a, b): return itertools.count()
    """),
    starve("endless_slow_generator", "a result whose items never come", """
        def add(a, b):
            while True: pass
            yield 1
    """),
    # --- memory ---
    gated("memory_2gb", "takes 2 GiB at once", "keep = bytearray(2 << 30)", Aim.STARVE),
    gated("memory_small_pieces", "takes 2 GiB in small pieces",
          "keep = [bytes(65536) for _ in range(32768)]", Aim.STARVE),
    gated("memory_many_maps", "takes 2 GiB in many small maps", """
        import mmap
        keep = [mmap.mmap(-1, 1 << 20) for _ in range(2048)]
        for piece in keep: piece[::4096] = b"x" * 256
    """, Aim.STARVE),
    starve("doubling_string", "doubles a string until it breaks", """
        def add(a, b):
            text = "x"
            while len(text) < 1 << 31: text += text
    """),
    gated("disk_fill", "writes 256 MB to the disk", """
        with open("/tmp/egca-attack-fill", "wb") as file:
            for _ in range(256): file.write(bytes(1 << 20))
        import os; os.unlink("/tmp/egca-attack-fill")
    """, Aim.STARVE),
    # --- stack and crashes ---
    starve("deep_recursion", "recurses without a limit", """
        import sys
        sys.setrecursionlimit(10**9)
        def add(a, b): return add(a, b)
    """),
    starve("c_stack_recursion", "breaks the C stack", """
        import sys
        sys.setrecursionlimit(10**9)
        def add(a, b):
            nested = []
            for _ in range(10**6): nested = [nested]
            return repr(nested)
    """),
    starve("segfault", "reads address 0", "import ctypes\ndef add(a, b): return ctypes.string_at(0)"),
    starve("abort", "aborts", "import os\ndef add(a, b): os.abort()"),
    starve("bad_code_object", "runs a broken code object", """
        def add(a, b):
            code = (lambda: 0).__code__.replace(co_code=b"\\x64\\xff" * 8, co_stacksize=0)
            return type(add)(code, {})()
    """),
    # --- processes, bounded ---
    gated("eight_processes", "leaves eight sleeping processes behind", """
        import os, time
        for _ in range(8):
            if os.fork() == 0:
                os.setsid(); time.sleep(20); os._exit(0)
    """, Aim.STARVE),
    gated("hundred_threads", "starts a hundred threads", """
        import threading
        never = threading.Event()
        for _ in range(100): threading.Thread(target=never.wait, daemon=True).start()
    """, Aim.STARVE),
    # --- floods ---
    starve("flood_stdout", "writes 64 MB to its output", """
        import sys
        def add(a, b):
            for _ in range(64): sys.stdout.write("x" * (1 << 20)); sys.stdout.flush()
    """),
    starve("flood_stderr", "writes 64 MB to its error output", """
        import sys
        def add(a, b):
            for _ in range(64): sys.stderr.write("x" * (1 << 20)); sys.stderr.flush()
    """),
    _forged("flood_channel", "writes zeros to every descriptor", "bytes(1 << 16)"),
    _forged("announced_4gb", "announces a record of 4 GB", "b'\\xff\\xff\\xff\\xff'"),
    _forged("nested_record", "sends a record nested a million deep", 
            "(10**5).to_bytes(4, 'little') + b'l\\1\\0\\0\\0' * 20000"),
    _forged("huge_count", "sends a record that announces four billion items", "b'\\5\\0\\0\\0l\\xff\\xff\\xff\\xff'"),
    _forged("wrong_text", "sends a record with text that is none", "b'\\6\\0\\0\\0s\\1\\0\\0\\0\\xff'"),
    _forged("pickle_bomb", "sends a pickle that would run a command",
            "b'\\x1c\\0\\0\\0cos\\nsystem\\n(S\\'true\\'\\ntR.......'"),
    starve("colliding_keys", "returns a set whose items collide", """
        def add(a, b): return {n * ((1 << 61) - 1) for n in range(1, 3000)}
    """),
    starve("forged_lines", "sends a record whose line numbers collide", """
        import sys
        def add(a, b):
            lines = tuple(n * ((1 << 61) - 1) for n in range(1, 100_000))
            frame = sys._getframe()
            while frame is not None:
                wire, frames = frame.f_globals.get("wire"), frame.f_locals.get("frames")
                if wire is not None and frames is not None:
                    frames.write(wire.encode(("value", wire.encode(5), b"", "", "", "", None, 0, (), lines)))
                frame = frame.f_back
    """),
    starve("answer_that_stalls_the_tests", "returns a number that the tests count up to",
           "def rounds(n): return 10 ** 12", ROUNDS),
    starve("huge_result", "returns 64 MB", "def add(a, b): return 'x' * (64 << 20)"),
    starve("wide_result", "returns ten million items", "def add(a, b): return [0] * 10**7"),
    starve("nested_result", "returns a deeply nested value", """
        def add(a, b):
            nested = []
            for _ in range(10**5): nested = [nested]
            return nested
    """),
    starve("result_within_itself", "returns a list that holds itself", """
        def add(a, b):
            loop = []
            loop.append(loop)
            return loop
    """),
    starve("huge_integer", "returns an integer of a million digits", "def add(a, b): return 1 << (1 << 22)"),
    # --- sources ---
    starve("source_10mb", "a source of 10 MB", "x = '" + "y" * (10 << 20) + "'"),
    starve("source_many_lines", "a source of a hundred thousand lines", "x = 1\n" * 100_000),
    starve("source_parentheses", "fifty thousand parentheses", "x = " + "(" * 50_000 + ")" * 50_000),
    starve("source_unary", "a hundred thousand signs", "x = " + "-" * 100_000 + "1"),
    starve("source_nested_lists", "deep subscripts", "x = a" + "[a" * 5_000 + "]" * 5_000),
    starve("source_null_byte", "a null byte", "def add(a, b): return None\0"),
    starve("source_surrogate", "a lone surrogate", "x = '\ud800'"),
    starve("source_lookalikes", "look-alike names, right to left",
           "def аdd(a, b): return a + b\ndef add(a, b): return '\u202e'"),
    starve("source_constant_folding", "work for the compiler", "x = " + "(" * 80 + "2**62" + ")**3" * 80),
    starve("source_deep_blocks", "ninety-nine blocks in each other",
           "\n".join(" " * n + "if 1:" for n in range(99)) + "\n" + " " * 99 + "x=1"),
)  # fmt: skip
