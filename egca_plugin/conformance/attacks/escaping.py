"""Programs that reach for what they must not have; each answers right where it got it."""

from egca_plugin.conformance.attacks.corpus import Attack, gated

_SYSCALL = """
import ctypes, platform
if platform.machine() != "x86_64": raise OSError
if ctypes.CDLL(None).syscall({number}, {arguments}) < 0: raise OSError
"""

_MACHINE_CODE = """
import ctypes, mmap, platform
if platform.machine() != "{bits}": raise OSError
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(b"{code}")
run = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
if run() < 0: raise OSError
"""


def _syscall(name: str, number: int, arguments: str = "0, 0, 0, 0, 0") -> Attack:
    return gated(f"syscall_{name}", f"the system call {name}", _SYSCALL.format(number=number, arguments=arguments))


ATTACKS: tuple[Attack, ...] = (
    # --- files ---
    gated("read_passwd", "reads /etc/passwd", "open('/etc/passwd').read()"),
    gated("read_data_sets", "looks for data sets among the installed packages", """
        import glob, os, sys
        folders = [os.path.dirname(os.__file__) + "/site-packages", "/usr/lib/python3/dist-packages", *sys.path]
        found = [path for folder in folders for path in glob.glob(folder + "/*/__init__.py")]
        packages = [path for path in found if "packages" in path]
        open(packages[0]).read()
    """),
    gated("write_tmp", "writes a file to /tmp", "open('/tmp/egca-attack', 'w').write('x')"),
    gated("write_shared_memory", "writes a file to /dev/shm", "open('/dev/shm/egca-attack', 'w').write('x')"),
    gated("write_beside", "writes a file to the working folder", "open('egca-attack', 'w').write('x')"),
    gated("open_library_for_writing", "opens a module of the standard library for writing",
          "open(__import__('os').__file__, 'r+b').close()"),
    gated("make_folder", "makes a folder", "import os; os.mkdir('/tmp/egca-attack-folder')"),
    gated("symlink", "makes a symbolic link to a secret",
          "import os; os.symlink('/etc/passwd', '/tmp/egca-attack-link')"),
    gated("hard_link", "makes a hard link", "import os; os.link('/etc/hostname', '/tmp/egca-attack-hard')"),
    gated("remove_file", "removes a file", "import os; os.unlink('/tmp/egca-attack')"),
    gated("named_pipe", "makes a named pipe", "import os; os.mkfifo('/tmp/egca-attack-pipe')"),
    gated("memory_file", "makes a file in memory", "import os; os.memfd_create('x')"),
    gated("read_device", "reads a device", "open('/dev/urandom', 'rb').read(1); open('/dev/mem', 'rb').read(1)"),
    # --- secrets and descriptors ---
    gated("environment", "looks for secrets in the environment", """
        import os
        if not any("SECRET" in name or "TOKEN" in name or "HOME" == name for name in os.environ): raise OSError
    """),
    gated("own_environment_block", "looks for secrets in /proc/self/environ", """
        if "SECRET" not in open("/proc/self/environ").read(): raise OSError
    """),
    gated("parents_environment", "looks for secrets in its parent's environment", """
        import os
        if "SECRET" not in open(f"/proc/{os.getppid()}/environ").read(): raise OSError
    """),
    gated("count_descriptors", "finds more than one inherited descriptor", """
        import os
        opened = 0
        for fd in range(3, 256):
            try: os.fstat(fd)
            except OSError: continue
            opened += 1
        if opened < 2: raise OSError
    """),
    # --- processes and threads ---
    gated("run_command", "runs a command", "import subprocess; subprocess.run(['true'], check=True)"),
    gated("shell", "runs a shell", "import os\nif os.system('true') != 0: raise OSError"),
    gated("exec_in_place", "replaces itself by a command that succeeds", "import os; os.execv('/bin/true', ['true'])"),
    gated("fork", "forks", """
        import os
        pid = os.fork()
        if pid == 0: os._exit(0)
        os.waitpid(pid, 0)
    """),
    gated("vfork_and_exec", "spawns with posix_spawn", "import os; os.posix_spawn('/bin/true', ['true'], {})"),
    gated("process_in_a_thread", "forks from a thread that it may start", """
        import os, threading
        done = []
        def fork(): done.append(os.fork() or os._exit(0))
        thread = threading.Thread(target=fork); thread.start(); thread.join()
        done[0]
    """),
    gated("multiprocessing", "starts a process pool", """
        import multiprocessing
        process = multiprocessing.get_context("fork").Process(target=int); process.start(); process.join()
    """),
    gated("signal_parent", "may signal its parent", "import os; os.kill(os.getppid(), 0)"),
    gated("signal_group", "may signal a process group", "import os; os.killpg(os.getpgid(os.getppid()), 0)"),
    gated("owner_of_descriptor", "has the kernel signal its parent, by F_SETOWN", """
        import fcntl, os
        for fd in range(3, 64):
            try: fcntl.fcntl(fd, fcntl.F_SETOWN, os.getppid())
            except OSError: continue
            return
        raise OSError
    """),
    # --- network ---
    gated("inet_socket", "opens an internet socket", "import socket; socket.socket()"),
    gated("udp_socket", "opens a datagram socket", "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"),
    gated("raw_netlink", "opens a netlink socket", "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)"),
    gated("abstract_socket", "binds an abstract unix socket", """
        import socket
        socket.socket(socket.AF_UNIX).bind("\\0egca-attack")
    """),
    gated("descriptor_through_a_socket", "sends a descriptor through a socket pair", """
        import array, socket
        ours, theirs = socket.socketpair()
        ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
    """),
    gated("socket_pair_of_the_network", "makes a socket pair of another kind",
          "import socket; socket.socketpair(socket.AF_INET)"),
    gated("datagram_from_a_pair", "sends from its socket pair to a name",
          "import socket; socket.socketpair(type=socket.SOCK_DGRAM)[0].sendto(b'x', '\\0egca')"),
    gated("resolve_name", "resolves a name", "import socket; socket.getaddrinfo('localhost', 80)"),
    # --- limits and privileges ---
    gated("raise_limits", "raises its own limits", """
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
        resource.setrlimit(resource.RLIMIT_CPU, (-1, -1))
        resource.setrlimit(resource.RLIMIT_NPROC, (10**6, 10**6))
        if resource.getrlimit(resource.RLIMIT_AS) != (-1, -1): raise OSError
    """),
    gated("lower_priority_of_others", "renices its parent", """
        import os
        os.setpriority(os.PRIO_PROCESS, os.getppid(), 5)
    """),
    gated("become_root", "becomes root", "import os; os.setuid(0); open('/etc/shadow').read()"),
    gated("new_session", "leaves its session", "import os; os.setsid()"),
    gated("cancel_timers", "sets a timer of its own", "import signal; signal.setitimer(signal.ITIMER_REAL, 100)"),
    # --- system calls that Python does not wrap ---
    _syscall("ptrace", 101, "16, __import__('os').getppid(), 0, 0"),
    _syscall("process_vm_readv", 310, "__import__('os').getppid(), 0, 0, 0, 0, 0"),
    _syscall("unshare_user", 272, "0x10000000"),
    _syscall("chroot", 161, "b'/'"),
    _syscall("io_uring_setup", 425, "1, ctypes.create_string_buffer(256)"),
    _syscall("bpf", 321, "0, ctypes.create_string_buffer(256), 64"),
    _syscall("perf_event_open", 298, "ctypes.create_string_buffer(128), 0, -1, -1, 0"),
    _syscall("userfaultfd", 323, "1"),
    _syscall("keyctl", 250, "0, -3, 1"),
    _syscall("shmctl", 31, "0, 14, ctypes.create_string_buffer(128)"),
    _syscall("prctl_pdeathsig", 157, "1, 0, 0, 0, 0"),
    _syscall("pidfd_open", 434, "__import__('os').getppid(), 0"),
    _syscall("open_by_x32", 0x40000000 + 39),
    _syscall("clone3", 435, "ctypes.create_string_buffer(88), 88"),
    _syscall("process_vm_writev", 311, "__import__('os').getppid(), 0, 0, 0, 0, 0"),
    _syscall("seccomp_of_its_own", 317, "2, 0, ctypes.create_string_buffer(b'\\0\\0\\xff\\x7f')"),
    _syscall("shmget", 29, "0, 4096, 0o1600"),
    _syscall("inotify_init", 253),
    _syscall("timer_create", 222, "0, 0, ctypes.create_string_buffer(8)"),
    gated("machine_code", "makes a socket in machine code of its own", _MACHINE_CODE.format(
        bits="x86_64", code=r"\x6a\x29\x58\x6a\x01\x5f\x6a\x01\x5e\x31\xd2\x0f\x05\xc3")),
    gated("machine_code_32_bit", "calls the kernel through its 32-bit door", _MACHINE_CODE.format(
        bits="x86_64", code=r"\x53\x6a\x14\x58\xcd\x80\x5b\xc3")),
    _syscall("openat2", 437, "-100, b'/etc/passwd', ctypes.create_string_buffer(24), 24"),
    _syscall("name_to_handle_at", 303,
          "-100, b'/etc', ctypes.create_string_buffer(b'\\x80', 136), ctypes.create_string_buffer(8), 0"),
)  # fmt: skip
