"""Decodes frames and states of version 1 as PROTOCOL.md describes them, and prints JSON.

python3 decode.py stream.v1.txt datagram.v1.txt ...      (each line: a name and a frame in hex)
python3 decode.py or-set.state.hex ...                   (a state in hex)

It reads every kind of frame, store and value. It reads what is well-formed and checks no canonical forms. It uses the
standard library alone.
"""
import json, os, struct, sys

ROLES = ["Replica", "Tab"]
MODES = ["Immediate", "Fifo", "Causal"]
PLANS = ["Ask", "Log", "Sketch", "LiveSet", "Whole"]
REFUSALS = ["Version", "Schema", "Mode", "IdInUse", "RetiredId", "Malformed", "Busy", "Unsupported", "Forbidden"]
CANCELS = ["Idle", "Busy", "Incomplete", "OutOfTurn", "TooLarge", "Superseded", "Partial"]


def unzigzag(n):
    return n >> 1 ^ -(n & 1)


class Reader:
    def __init__(self, data, ids):
        self.data, self.at, self.ids = data, 0, ids
        self.origin = None                      # (id, counter) before which columns of dots start

    def raw(self, n):
        if self.at + n > len(self.data):
            raise ValueError("the frame ends too early")
        self.at += n
        return self.data[self.at - n:self.at]

    def byte(self):
        return self.raw(1)[0]

    def int(self):                              # varint, the lowest seven bits first
        n, shift = 0, 0
        while True:
            b = self.byte()
            n |= (b & 127) << shift
            if b < 128:
                return n
            shift += 7

    def fixed(self, n):
        return int.from_bytes(self.raw(n), "little")

    def bytes(self):
        return self.raw(self.int())

    def id(self):
        return self.ids[self.int()]

    # Sets of dots: { id: [[first, last], ...] }

    def dots(self):
        rows = {}
        for _ in range(self.int()):
            runs = rows.setdefault(self.id(), [])
            last = self.int()
            if last:
                runs.append([1, last])
            for _ in range(self.int()):
                first = last + 2 + self.int()
                last = first + self.int()
                runs.append([first, last])
        return rows

    def few_dots(self):
        head = self.int()
        if head & 1:
            return self.dots()
        rows = {}
        for _ in range(head >> 1):
            replica, counter = self.id(), self.int()
            rows[replica] = [[counter, counter]]
        return rows

    def frontier(self, received):
        bits, rest = int.from_bytes(self.bytes(), "little"), self.few_dots()
        for at, replica in enumerate(sorted(received)):
            if bits >> at & 1:
                last = received[replica][-1][1]
                rest[replica] = join(rest.get(replica, []) + [[last, last]])
        return rest

    def live_set(self):
        rows = {}
        for _ in range(self.int()):
            replica, at, head = self.id(), self.int(), self.int()
            if head & 1:
                bits = int.from_bytes(self.raw(head >> 1), "little")
                rows[replica] = join([[at + i, at + i] for i in range(bits.bit_length()) if bits >> i & 1])
                continue
            runs = rows[replica] = []
            for nth in range(head >> 1):
                if nth:
                    at += 2 + self.int()
                runs.append([at, at + self.int()])
                at = runs[-1][1]
        return rows

    # Stores: for each of `count` stores a list of [id, counter, the way to it..., what is there]

    def root(self):
        kind = self.byte()
        entries = self.store(kind, 1)[0] if kind else []
        return sorted(entries, key=lambda entry: (entry[0], entry[1]))

    def store(self, kind, count):
        if kind == 14:                          # a struct: field by field
            stores = [[] for _ in range(count)]
            for _ in range(self.int()):
                name, field = self.bytes().decode(), self.byte()
                has = [at for at in range(count) if count == 1 or self.byte()]
                for at, entries in zip(has, self.store(field, len(has))):
                    stores[at] += [[*entry[:2], name, *entry[2:]] for entry in entries]
            return stores
        if kind == 12:                          # a map: keys, then values
            sizes = [self.int() for _ in range(count)]
            keys, values = self.column(sum(sizes)), []
            while len(values) < sum(sizes):     # stretches of one kind
                stretch = self.int()
                values += self.store(self.byte(), stretch)
            pairs = iter(zip(keys, values))
            return [[[*entry[:2], key, *entry[2:]] for key, entries in (next(pairs) for _ in range(size))
                     for entry in entries] for size in sizes]
        sizes = [self.int() for _ in range(count)] if kind == 13 else []
        keys = self.column(sum(sizes)) if sizes else []
        stores = self.store_dots(len(keys) if kind == 13 else count)
        total = sum(map(len, stores))
        if kind == 1:                           # counters of totals: one row for each replica
            values = [[total] for total in self.column(total)]
        elif kind == 2:
            values = list(map(list, zip(self.column(total), self.column(total))))
        elif kind == 3:                         # minted, spent, and what was given to whom
            values = list(map(list, zip(self.column(total), self.column(total))))
            for value in values:
                value.append([[self.raw(16).hex(), self.int()] for _ in range(self.int())])
        elif kind in (7, 8):                    # flags
            values = [[] if kind == 7 else [self.byte() == 1] for _ in range(total)]
        elif kind == 11:                        # a set in which removals win: whether each is an insertion
            values = [[element] for element in self.elements(total)]
            for value in values:
                value.append(self.byte() == 1)
        elif kind == 13:                        # a last-writer map: writes of each key, some of them of nothing
            stamps = list(zip(self.packed(total), self.packed(total)))
            written = [self.byte() == 1 for _ in range(total)]
            fresh = iter(self.column(sum(written)))
            values = iter([list(stamp), next(fresh) if there else None] for stamp, there in zip(stamps, written))
            rows = iter([[*dot, key, *next(values)] for dot in dots] for key, dots in zip(keys, stores))
            return [[entry for _ in range(size) for entry in next(rows)] for size in sizes]
        elif kind == 4:                           # a counter: runs of equal amounts
            amounts = []
            while len(amounts) < total:
                amount = unzigzag(self.int())
                amounts += [amount] * (1 + self.int())
            values = [[amount] for amount in amounts]
        elif kind == 5:                         # a last-writer register: stamps, then values
            stamps = list(zip(self.packed(total), self.packed(total)))
            values = [[list(stamp), value] for stamp, value in zip(stamps, self.column(total))]
        elif kind in (6, 9, 10):                # a multi-value register, sets
            values = [[value] for value in (self.column(total) if kind == 6 else self.elements(total))]
        else:
            raise ValueError(f"there are no stores of kind {kind}")
        values = iter(values)
        return [[[*dot, *next(values)] for dot in dots] for dots in stores]

    def elements(self, total):                  # of sets: one under several dots is written once
        repeats = {}
        if self.data[self.at] == 0x80:
            self.byte()
            for _ in range(self.int()):
                at = self.int()
                repeats[at] = at - self.int()
        fresh, all = iter(self.column(total - len(repeats))), []
        for at in range(total):
            all.append(all[repeats[at]] if at in repeats else next(fresh))
        return all

    def store_dots(self, count):
        if count > 1 and self.byte():           # packed: one dot each
            return [[(self.ids[i], c)] for i, c in zip(self.packed(count), self.packed(count))]
        stores, (replica, last) = [], self.origin or (self.ids[0], 0)
        for _ in range(count):
            dots, more = [], True
            while more:
                b = self.byte()
                gap, size, more = b >> 4 & 7, (b & 15) + 1, b < 128
                first = last + 1 + gap
                if gap == 7:
                    gap = self.int()
                    if gap & 1:
                        replica, first = self.ids[gap >> 1], 1 + self.int()
                    else:
                        first += gap >> 1
                last = first + size - 1
                dots += [(replica, counter) for counter in range(first, last + 1)]
            stores.append(dots)
        return stores

    def packed(self, count):
        base, width = self.int(), self.byte()
        bits = int.from_bytes(self.raw((width * count + 7) // 8), "little")
        return [base + (bits >> at * width & (1 << width) - 1) for at in range(count)]

    def column(self, count):
        tag = self.byte()
        if tag == 0:
            return [self.value() for _ in range(count)]
        if tag in (1, 2, 3, 4):
            return [self.fixed(1 << tag - 1) for _ in range(count)]
        if tag in (5, 6):
            return [self.int() if tag == 5 else unzigzag(self.int()) for _ in range(count)]
        if tag in (7, 9):
            size = self.int()
            texts = [self.raw(size) for _ in range(count)]
        elif tag in (8, 10):
            texts = [self.bytes() for _ in range(count)]
        elif tag == 11:
            return [self.byte() == 1 for _ in range(count)]
        elif tag == 12:
            return [self.float() for _ in range(count)]
        else:
            raise ValueError(f"there are no columns with tag {tag}")
        return [text.decode() if tag < 9 else list(text) for text in texts]

    def value(self):
        tag = self.byte()
        if tag < 3:
            return [None, False, True][tag]
        if tag < 5:
            return self.int() if tag == 3 else ~self.int()
        if tag == 5:
            return self.float()
        if tag in (6, 7):
            return self.bytes().decode() if tag == 6 else list(self.bytes())
        if tag == 8:
            return [self.value() for _ in range(self.int())]
        if tag == 9:
            return {self.bytes().decode(): self.value() for _ in range(self.int())}
        raise ValueError(f"there are no values with tag {tag}")

    def float(self):
        return struct.unpack("<d", self.raw(8))[0]

    # Messages

    def extensions(self):
        return [[self.int(), list(self.bytes())] for _ in range(self.int())]

    def record(self, before):
        head = self.byte()
        replica, first = (before[0], before[1] + 1) if head & 2 else (self.id(), self.int())
        last = first if head & 4 else first + self.int()
        time = [before[2] + unzigzag(self.int()), self.int()]
        after = self.few_dots() if head & 8 else {}
        if head & 1:
            payload = {"retire": [self.id(), self.int()]}
        else:
            retired = self.few_dots()
            self.origin = (replica, first - 1)
            payload = {"retired": retired, "entries": self.root()}
            self.origin = None
        extensions = self.extensions() if head & 16 else []
        before[:] = replica, last, time[0]
        return {"own": [replica, first, last], "after": after, "time": time, "payload": payload,
                "extensions": extensions}

    def summary(self, repair):
        has, plan = self.byte(), PLANS[self.byte()]
        base = self.fixed(8) if has & 1 else None
        received = self.dots()
        ahead = self.dots() if has & 2 else {}
        frontier, live_count = self.frontier(received), self.int()
        staged = self.dots() if has & 4 else {}
        retired = [self.int(), self.fixed(8)] if has & 8 else [0, 0]
        sketch_key = self.fixed(8) if has & 16 else 0
        return {"repair": repair, "plan": plan, "base": base, "received": received, "ahead": ahead,
                "frontier": frontier, "live_count": live_count, "staged": staged, "retired": retired,
                "sketch_key": sketch_key, "left_out": self.dots() if has & 32 else None}

    def body(self, kind, scope):
        if kind == 0:
            return {"versions": [self.byte(), self.byte()], "features": self.int(), "replica": self.id(),
                    "role": ROLES[self.byte()], "instance": self.fixed(8), "frame_bytes_max": self.int(),
                    "scope": scope, "schema": self.int(), "mode": MODES[self.byte()]}
        if kind == 1:
            return {"reason": REFUSALS[self.byte()], "kind": self.byte(), "detail": self.bytes().decode()}
        if kind == 2:
            before = [None, 0, 0]
            return [self.record(before) for _ in range(self.int())]
        if kind in (3, 4, 5):
            return self.dots()
        if kind in (6, 7, 22):
            return None
        if kind in (18, 19):
            return [[self.id(), self.dots() if kind == 18 else self.int()] for _ in range(self.int())]
        if kind in (20, 21, 25):
            return list(self.bytes())
        if kind in (23, 24):
            return {"replica": self.id(), "next" if kind == 23 else "last": self.int()}
        repair = self.int()
        if kind == 8:
            hashes, has = [self.fixed(8), self.fixed(8)], self.byte()
            return {"repair": repair, "received_hash": hashes[0], "state_hash": hashes[1],
                    "summary": self.summary(repair) if has & 1 else None,
                    "content_hash": f"{self.fixed(16):032x}" if has & 2 else None}
        if kind == 9:
            return {"repair": repair}
        if kind == 10:
            return self.summary(repair)
        if kind == 11:
            return {"repair": repair, "index": self.int(), "entries": self.root()}
        if kind == 12:
            start, head = self.int(), self.int()
            width = 16 if head & 1 else 8
            cells = [[f"{self.fixed(width):032x}", self.fixed(4), self.byte()] for _ in range(head >> 1)]
            return {"repair": repair, "from": start, "cells": cells}
        if kind == 13:
            return {"repair": repair, "live": self.live_set()}
        if kind == 14:
            return {"repair": repair, "from": self.int(), "count": self.int()}
        if kind == 15:
            has = self.byte()
            names = ["since", "since_ahead", "frontier", "kept", "retired"]
            sets = {name: self.few_dots() if has >> bit & 1 else {} for bit, name in enumerate(names)}
            count, of = (self.int(), self.fixed(8)) if has >> 5 & 1 else (0, 0)
            return {"repair": repair, **sets, "entry_count": count, "entry_hash": of,
                    "check": self.fixed(8) if has >> 6 & 1 else 0}
        if kind == 16:
            return {"repair": repair, "check": self.fixed(8) if self.byte() else 0}
        if kind == 17:
            return {"repair": repair, "reason": CANCELS[self.byte()]}
        raise ValueError(f"frames of kind {kind} are not known")


def join(runs):
    """Runs that touch, as one."""
    joined = []
    for first, last in sorted(runs):
        if joined and joined[-1][1] + 1 == first:
            joined[-1][1] = last
        else:
            joined.append([first, last])
    return joined


def frame(data, ids, is_stream):
    reader = Reader(data, ids)
    version, kind, flags = reader.raw(3)
    if version != 1 or flags & ~15:
        raise ValueError(f"version {version}, flags {flags}")
    scope = reader.raw(16).hex() if flags & 1 else None
    if not is_stream or flags & 4:
        ids.clear()
    for _ in range(reader.int() if flags & 2 else 0):
        if reader.byte() != 0:
            raise ValueError("an id of another kind")
        ids.append(reader.raw(16).hex())
    message = {"kind": kind, "body": reader.body(kind, scope)}
    if flags & 8:
        reader.extensions()
    if reader.at != len(data):
        raise ValueError("bytes are left over")
    return message


def state(data):
    """A state alone: a table of ids, what was seen, and what is live."""
    reader = Reader(data, [])
    format, head = reader.raw(2)
    if format != 0xc1 or head >> 5:
        raise ValueError("this is no state of version 1")
    count = head if head < 31 else 31 + reader.int()
    reader.ids += [reader.raw(16).hex() for _ in range(count)]
    seen, entries = reader.dots(), reader.root()
    if reader.at != len(data):
        raise ValueError("bytes are left over")
    return {"seen": seen, "live": join_dots((entry[0], entry[1]) for entry in entries), "entries": repr(entries)}


def join_dots(dots):
    rows = {}
    for replica, counter in dots:
        rows.setdefault(replica, []).append([counter, counter])
    return {replica: join(runs) for replica, runs in rows.items()}


def main():
    links = {}
    for path in sys.argv[1:]:
        if path.endswith(".hex"):
            with open(path) as text:
                links[os.path.basename(path)] = state(bytes.fromhex(text.read()))
            continue
        link, ids = os.path.basename(path).split(".")[0], []
        with open(path) as lines:
            frames = [line.split() for line in lines]
        links[link] = [[name, frame(bytes.fromhex(data), ids, link == "stream")] for name, data in frames]
    json.dump(links, sys.stdout)


main()
