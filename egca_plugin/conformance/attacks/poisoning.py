"""Programs that harm whoever comes next: the judge's process, the next program, the host."""

from egca_plugin.conformance.attacks.corpus import Aim, Attack, gated, poison

ATTACKS: tuple[Attack, ...] = (
    poison("patched_builtins_stay", "patches builtins that its successor uses", """
        import builtins
        builtins.len = builtins.sum = builtins.isinstance = lambda *args: True
        def add(a, b): return None
    """),
    poison("patched_modules_stay", "replaces functions of modules", """
        import json, math, operator, os, pickle, struct, time
        for module in (json, math, operator, os, pickle, struct, time):
            for name in list(vars(module)):
                if not name.startswith("_"): setattr(module, name, None)
        def add(a, b): return None
    """),
    poison("emptied_module_table", "empties sys.modules and sys.path", """
        import sys
        sys.path[:] = []
        sys.meta_path[:] = []
        sys.modules.clear()
        def add(a, b): return None
    """),
    poison("import_hook", "answers every later import", """
        import sys
        class Hook:
            def find_spec(self, *args): raise SystemExit(0)
        sys.meta_path.insert(0, Hook())
        def add(a, b): return None
    """),
    poison("trace_hook", "traces whatever runs next", """
        import sys, threading
        def trace(*args): raise SystemExit(0)
        def add(a, b):
            sys.settrace(trace); sys.setprofile(trace); threading.settrace(trace)
    """),
    poison("monitoring_hook", "monitors whatever runs next", """
        import sys
        def add(a, b):
            monitoring = sys.monitoring
            monitoring.use_tool_id(0, "x")
            monitoring.register_callback(0, monitoring.events.LINE, lambda *args: monitoring.DISABLE)
            monitoring.set_events(0, monitoring.events.LINE)
    """),
    poison("audit_hook_stays", "ends every later import and execution", """
        import sys
        def hook(event, args):
            if event in ("import", "exec", "compile"): raise SystemExit(0)
        def add(a, b): sys.addaudithook(hook)
    """),
    poison("small_integers_rewritten", "makes every 5 of the interpreter a 6", """
        import ctypes
        def add(a, b):
            ctypes.memmove(id(5), id(6), int.__basicsize__ + 4)
            return None
    """),
    poison("unprintable_failure", "raises what cannot be printed or written down", """
        class Unprintable(Exception):
            def __str__(self): return "\\ud800\\0\\x1b[2J" * 1000
            __repr__ = __str__
        def add(a, b): raise Unprintable
    """),
    poison("collector_hook", "hangs in the garbage collector", """
        import gc
        def hang(*args):
            while True: pass
        gc.callbacks.append(hang)
        def add(a, b): gc.collect()
    """),
    poison("closed_descriptors", "closes every descriptor",
          "import os\nos.closerange(0, 256)\ndef add(a, b): return None"),
    poison("closed_channel_and_loops", "closes every descriptor and goes on", """
        import os
        os.closerange(0, 256)
        while True: pass
    """),
    poison("kills_parent", "kills its parent",
          "import os, signal\ndef add(a, b): os.kill(os.getppid(), signal.SIGKILL)"),
    poison("stops_parent", "stops its parent",
          "import os, signal\ndef add(a, b): os.kill(os.getppid(), signal.SIGSTOP)"),
    poison("kills_itself", "dies as if killed from outside", """
        import os, signal
        def add(a, b): os.kill(os.getpid(), signal.SIGKILL)
    """),
    poison("kills_its_group", "kills its process group", """
        import os, signal
        def add(a, b): os.killpg(0, signal.SIGTERM)
    """),
    poison("faulthandler_timer", "has its process dumped and ended later", """
        import faulthandler
        faulthandler.dump_traceback_later(0.2, exit=True)
        def add(a, b):
            while True: pass
    """),
    poison("interpreter_limits", "breaks the interpreter's limits", """
        import sys
        sys.setrecursionlimit(60)
        sys.setswitchinterval(1e6)
        def add(a, b): return None
    """),
    gated("changed_folder", "leaves the judge in another folder",
          "import os; os.mkdir('/tmp/egca-attack-x'); os.chdir('/')",
          Aim.POISON),
    gated("shared_memory_message", "leaves a message for its successor", """
        from multiprocessing import shared_memory
        try: shared_memory.SharedMemory("egca-attack-message", create=True, size=16).close()
        except FileExistsError: return
        raise OSError
    """, Aim.POISON),
    gated("system_v_message", "leaves a message in a System V queue", """
        import ctypes
        queue = ctypes.CDLL(None).msgget(0x45474341, 0o1666)
        if queue < 0: raise OSError
        ctypes.CDLL(None).msgctl(queue, 0, None)
    """, Aim.POISON),
)  # fmt: skip
