"""What the kernel says of a process: CPU, memory."""
import pathlib


def cpu_seconds(pid):
    """(CPU of the main thread, of all threads), from schedstat: ns, not the ticks of /proc/PID/stat."""
    main = total = 0
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            cpu = int(path.read_text().split()[0]) / 1e9
        except (FileNotFoundError, ProcessLookupError):
            continue  # a thread that ended between the listing and the reading
        total += cpu
        if path.parent.name == str(pid):
            main = cpu
    return main, total


def memory(pid):
    """RssAnon, RssShmem, RssFile in bytes. RssFile is code and files of the page cache: not counted."""
    values = {}
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name.startswith("Rss"):
            values[name] = int(rest.split()[0]) * 1024
    return values


def tmpfs_bytes(folder):
    """Pages that the files of a tmpfs folder occupy, mapped by anyone or not."""
    total = 0
    for path in pathlib.Path(folder).rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except FileNotFoundError:
            pass
    return total


def children(pid):
    try:
        return [int(child) for child in
                pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def name(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("latin-1")
    except FileNotFoundError:
        return ""
