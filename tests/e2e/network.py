#!/usr/bin/env python3
"""network.py - the other ends of the network tests: servers and clients on loopback, inside and outside of containers.

network.py COMMAND ARGUMENTS...; each ends by itself, or is killed.
"""
import hashlib
import mmap
import os
import select
import socket
import struct
import sys
import threading
import time


def address(text):
    """(family, (host, port)) of HOST:PORT, [HOST]:PORT."""
    host, port = text.rsplit(":", 1)
    host = host.strip("[]")
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host, int(port))


def listener(text, kind=socket.SOCK_STREAM):
    family, where = address(text)
    sock = socket.socket(family, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(where)
    if kind == socket.SOCK_STREAM:
        sock.listen(2048)
    return sock


def connected(text, tries=100):
    family, where = address(text)
    for left in range(tries, 0, -1):
        sock = socket.socket(family)
        try:
            sock.settimeout(20)
            sock.connect(where)
            return sock
        except OSError:
            sock.close()
            if left == 1:
                raise
            time.sleep(0.1)


def say(*words):
    print(*words, flush=True)


def pattern(size):
    """Chunks of bytes that no shift or loss leaves the same."""
    block = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(2048))
    while size > 0:
        yield block[:size]
        size -= len(block)


def peer_text(peer):
    return peer[0]


def echo_stream(sock):
    """Echo until the other side has nothing more to say, then say that we have not either."""
    while True:
        data = sock.recv(65536)
        if not data:
            break
        sock.sendall(data)
    sock.shutdown(socket.SHUT_WR)
    sock.close()


def echo(where):
    """TCP: every connection gets back what it sends; the first line is the peer's address."""
    sock = listener(where)
    say("ready")
    while True:
        one, _ = sock.accept()
        threading.Thread(target=echo_stream, args=(one,), daemon=True).start()


def peers(where, count="1"):
    """TCP: tell every client, and stdout, its address."""
    sock = listener(where)
    say("ready")
    for _ in range(int(count)):
        one, peer = sock.accept()
        say("peer", peer_text(peer))
        one.sendall(("peer %s\n" % peer_text(peer)).encode())
        one.close()


def udp_echo(where):
    """UDP: send back what comes, with the sender's address before it."""
    sock = listener(where, socket.SOCK_DGRAM)
    say("ready")
    while True:
        data, peer = sock.recvfrom(65536)
        sock.sendto(peer_text(peer).encode() + b" " + data, peer)


def udp_ask(where, text, tries="20"):
    family, to = address(where)
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(0.5)
    for _ in range(int(tries)):
        sock.sendto(text.encode(), to)
        try:
            say(sock.recvfrom(65536)[0].decode())
            return 0
        except OSError:
            continue
    say("no answer")
    return 1


def ask(where, text=""):
    """TCP: send the text, print all that comes back."""
    sock = connected(where)
    sock.sendall(text.encode())
    sock.shutdown(socket.SHUT_WR)
    data = b""
    while True:
        more = sock.recv(65536)
        if not more:
            break
        data += more
    say(data.decode().rstrip("\n"))


def can(where, seconds="3"):
    """Can a TCP connection be made? yes, or the word for why not."""
    family, to = address(where)
    sock = socket.socket(family)
    sock.settimeout(float(seconds))
    try:
        sock.connect(to)
    except OSError as error:
        say("no:", error.strerror or "timed out")
        return
    say("yes")


def ping(host):
    """An echo request by a socket that takes no privilege."""
    kind = socket.IPPROTO_ICMPV6 if ":" in host else socket.IPPROTO_ICMP
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM, kind)
    sock.settimeout(5)
    sock.sendto(struct.pack(">BBHHH", 128 if ":" in host else 8, 0, 0, 0, 1) + b"is there somebody", (host, 0))
    say("answer" if b"is there somebody" in sock.recv(4096) else "something else")


def both(where, size):
    """TCP: send so many bytes through an echo and compare what comes back."""
    size = int(size)
    sock = connected(where)
    sent, got, count = hashlib.sha256(), hashlib.sha256(), 0

    def send():
        for block in pattern(size):
            sent.update(block)
            sock.sendall(block)
        sock.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    sock.settimeout(60)
    while True:
        data = sock.recv(1 << 20)
        if not data:
            break
        got.update(data)
        count += len(data)
    sender.join()
    say("same" if count == size and sent.digest() == got.digest() else "different", count)


def many(where, count):
    """TCP: so many connections open at once, all of them alive: each says its number and hears it."""
    socks = [connected(where) for _ in range(int(count))]
    for i, sock in enumerate(socks):
        sock.sendall(b"%08d" % i)
    good = 0
    for i, sock in enumerate(socks):
        data = b""
        while len(data) < 8:
            more = sock.recv(8 - len(data))
            if not more:
                break
            data += more
        good += data == b"%08d" % i
    say("good", good)
    for sock in socks:
        sock.close()


def answers(sock, seconds):
    """Does what is sent come back? Not within so many seconds: the other side has not accepted it yet."""
    try:
        sock.settimeout(seconds)
        return sock.recv(8, socket.MSG_WAITALL) == b"somebody"
    except socket.timeout:
        return False


def crowd(where, count, helper):
    """TCP: more connections than the helper has files for. Those it has go on, the others get their turn when some
    have ended, and meanwhile it does not turn in a loop."""
    waiting, served = [], 0
    for _ in range(int(count)):
        waiting.append(connected(where))
        waiting[-1].sendall(b"somebody")
    served_first = [sock for i, sock in enumerate(waiting) if answers(sock, 0.2 if i else 20)]
    say("some" if 0 < len(served_first) < int(count) else "all or none: %d" % len(served_first))

    def ticks():
        with open("/proc/%s/stat" % helper) as stat:
            return sum(int(word) for word in stat.read().rsplit(")", 1)[1].split()[11:13])

    before = ticks()
    time.sleep(2)
    used = ticks() - before
    say("idle" if used < 50 else "busy: %d of 200 ticks" % used)
    for sock in served_first:
        sock.sendall(b"somebody")
    say("alive" if all(answers(sock, 20) for sock in served_first) else "dead")
    last = served_first
    while last:
        served += len(last)
        waiting = [sock for sock in waiting if sock not in last]
        for sock in last:  # at once, without the 10 s that libslirp keeps one that was closed
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        last = waiting[:1] if waiting and answers(waiting[0], 20) else []
        last += [sock for sock in waiting[1:] if last and answers(sock, 0.2)]
    say("served", served)


def heavy(where, count, size):
    """TCP: so many connections, each of which has moved so many bytes both ways, then all closed."""
    socks = []
    for _ in range(int(count)):
        sock = connected(where)
        for block in (b"x" * 20000 for _ in range(int(size) // 20000)):
            sock.sendall(block)
            left = len(block)
            while left > 0:
                left -= len(sock.recv(left))
        socks.append(sock)
    for sock in socks:
        sock.close()
    say("closed", len(socks))


def half(where):
    """TCP: the server closes its side first, and still hears all of ours."""
    sock = connected(where)
    while sock.recv(4096):
        pass
    for block in pattern(1000000):
        sock.sendall(block)
    sock.shutdown(socket.SHUT_WR)


def half_server(where):
    sock = listener(where)
    say("ready")
    one, _ = sock.accept()
    one.sendall(b"all I have")
    one.shutdown(socket.SHUT_WR)
    got = hashlib.sha256()
    want = hashlib.sha256()
    while True:
        data = one.recv(65536)
        if not data:
            break
        got.update(data)
    for block in pattern(1000000):
        want.update(block)
    say("heard all" if got.digest() == want.digest() else "lost some")


def slow(where, size):
    """TCP: send much to one who does not read for a while; it must all come."""
    size = int(size)
    sock = listener(where)
    say("ready")
    one, _ = sock.accept()
    time.sleep(2)
    got, count = hashlib.sha256(), 0
    while True:
        data = one.recv(3001)
        if not data:
            break
        got.update(data)
        count += len(data)
    want = hashlib.sha256()
    for block in pattern(size):
        want.update(block)
    say("same" if count == size and got.digest() == want.digest() else "different", count)


def feed(where, size):
    sock = connected(where)
    sock.settimeout(60)
    for block in pattern(int(size)):
        sock.sendall(block)
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(4096):
        pass


def sink(where):
    """TCP: read all, and say so at the end."""
    sock = listener(where)
    say("ready")
    while True:
        one, _ = sock.accept()
        while one.recv(1 << 20):
            pass
        one.close()


FRAME, FRAMES = 256, 16384


def packet_ring():
    """All headers that pass by any device from now on, kept by the kernel: packet(7), PACKET_RX_RING."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))  # ETH_P_ALL
    sock.setsockopt(263, 5, struct.pack("IIII", 65536, FRAME * FRAMES // 65536, FRAME, FRAMES))
    return sock, mmap.mmap(sock.fileno(), FRAME * FRAMES, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)


def tcp_headers(ring):
    """(source port, sequence, acknowledged, flags, window, bytes) of every packet of TCP over IPv4."""
    for at in range(0, FRAME * FRAMES, FRAME):
        status, _, _, _, net = struct.unpack_from("LIIHH", ring, at)
        if not status & 1:
            return
        ip = at + net
        if ring[ip] >> 4 != 4 or ring[ip + 9] != socket.IPPROTO_TCP:
            continue
        tcp = ip + (ring[ip] & 15) * 4
        port, _, seq, ack, offset, flags, window = struct.unpack_from(">HHIIBBH", ring, tcp)
        size = struct.unpack_from(">H", ring, ip + 2)[0] - (ring[ip] & 15) * 4 - (offset >> 4) * 4
        yield port, seq, ack, flags, window, size
    raise OverflowError("the ring is full")


def probes(where, size):
    """TCP: how often the kernel here, with nothing under way, filled a window of less than a segment to its last byte
    though it had more to send. It does so by its own timer (tcp_write_wakeup()), when it is not told of more room."""
    sock, ring = packet_ring()
    feed(where, size)
    time.sleep(0.1)
    server, headers = address(where)[1][1], list(tcp_headers(ring))
    segment = max(header[5] for header in headers)
    acked, window, count, sent = 0, 0, 0, 0
    for port, seq, ack, flags, win, length in headers:
        if port == server:
            acked, window = ack, win  # which libslirp does not scale
        elif length > 0:
            sent += length
            count += seq == acked and length == window and length < segment and sent < int(size)
    say("probes", count, "segment", segment, "sent", sent)


def dns_answer(question, text, limit):
    """A TXT answer; truncated when it has more bytes than the limit."""
    end = 12
    while question[end]:
        end += question[end] + 1
    end += 5
    parts = b""
    rest = text.encode()
    while rest:
        parts += bytes([len(rest[:255])]) + rest[:255]
        rest = rest[255:]
    answer = b"\xc0\x0c" + struct.pack(">HHIH", 16, 1, 1, len(parts)) + parts
    whole = question[:2] + b"\x81\x80" + question[4:6] + b"\0\1\0\0\0\0" + question[12:end] + answer
    if len(whole) <= limit:
        return whole
    return question[:2] + b"\x83\x80" + question[4:6] + b"\0\0\0\0\0\0" + question[12:end]


def dns_server(host, text, port="53", answers="0"):
    """A resolver that answers every question with a text; "big..." with 3000 bytes, by TCP only. A stream ends after so
    many answers, if that is not 0."""
    udp, tcp = listener("%s:%s" % (host, port), socket.SOCK_DGRAM), listener("%s:%s" % (host, port))
    say("ready")

    def reply(question, limit):
        name = question[13:13 + question[12]].decode()
        return dns_answer(question, "x" * 3000 if name.startswith("big") else text, limit)

    def stream(one):
        left = int(answers)
        while True:
            head = one.recv(2, socket.MSG_WAITALL)
            if len(head) < 2:
                return
            data = reply(one.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL), 65535)
            one.sendall(struct.pack(">H", len(data)) + data)
            left -= 1
            if left == 0:
                one.shutdown(socket.SHUT_WR)
                return

    while True:
        for sock in select.select([udp, tcp], [], [])[0]:
            if sock is udp:
                question, peer = udp.recvfrom(65536)
                udp.sendto(reply(question, 512), peer)
            else:
                threading.Thread(target=stream, args=(tcp.accept()[0],), daemon=True).start()


def dns_bad(host, how, port="53"):
    """A resolver by TCP that answers nothing: "close" hears a question and closes, "half" after half an answer; "mute" keeps silent."""
    tcp, kept = listener("%s:%s" % (host, port)), []
    say("ready")
    while True:
        one, _ = tcp.accept()
        size = struct.unpack(">H", one.recv(2, socket.MSG_WAITALL))[0]
        question = one.recv(size, socket.MSG_WAITALL)
        say("asked")
        if how == "half":
            one.sendall(b"\2\0" + question[:2] + b"\x81\x80")
        if how == "mute":
            kept.append(one)
        else:
            one.close()


def dns_pipe(host, count):
    """Several questions by one TCP connection, all before the first answer: how many have an answer without a failure."""
    sock = socket.create_connection((host, 53), timeout=8)
    good = 0
    for i in range(int(count)):
        question = struct.pack(">H", i) + b"\1\0\0\1\0\0\0\0\0\0\1x\4test\0\0\x10\0\1"
        sock.sendall(struct.pack(">H", len(question)) + question)
    for i in range(int(count)):
        answer = sock.recv(struct.unpack(">H", sock.recv(2, socket.MSG_WAITALL))[0], socket.MSG_WAITALL)
        good += not answer[3] & 15
    say("good", good)


def dns_ask(host, name, how="udp"):
    """Print the text of the answer; "truncated" or "failure"."""
    question = os.urandom(2) + b"\1\0\0\1\0\0\0\0\0\0" + bytes([len(name)]) + name.encode() + b"\4test\0\0\x10\0\1"
    if how == "udp":
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.settimeout(8)
        sock.sendto(question, (host, 53))
        answer = sock.recv(65536)
    else:
        sock = socket.create_connection((host, 53), timeout=8)
        sock.sendall(struct.pack(">H", len(question)) + question)
        size = struct.unpack(">H", sock.recv(2, socket.MSG_WAITALL))[0]
        answer = sock.recv(size, socket.MSG_WAITALL)
    if answer[:2] != question[:2]:
        say("not mine")
    elif answer[3] & 15:
        say("failure", answer[3] & 15)
    elif answer[2] & 2:
        say("truncated")
    else:
        at = len(question) + 12
        text = b""
        while at < len(answer):
            text += answer[at + 1:at + 1 + answer[at]]
            at += answer[at] + 1
        say(text.decode() if len(text) < 300 else len(text))


COMMANDS = {"echo": echo, "peers": peers, "udp-echo": udp_echo, "udp-ask": udp_ask, "ask": ask, "can": can, "ping": ping, "both": both,
            "many": many, "heavy": heavy, "crowd": crowd, "half": half, "half-server": half_server, "slow": slow, "feed": feed, "sink": sink, "probes": probes,
            "dns-server": dns_server, "dns-bad": dns_bad, "dns-ask": dns_ask, "dns-pipe": dns_pipe}

if __name__ == "__main__":
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]) or 0)
