"""Computes the cells that symbols fall into, as PROTOCOL.md describes it, for `VECTORS` in src/sketch/mapping.rs.

python3 mapping.py
"""
import math

SEEDS = [0x1, 0x3, 0x1234567890ABCDEF, 0xFFFFFFFFFFFFFFFF, 0x9E3779B97F4A7C15, 0x100000001]


def cells(state, end):
    index = 0
    while index < end:
        yield index
        state = state * 0xDA942042E4DD58B5 % 2**64
        step = math.ceil((index + 1.5) * (2.0**32 / math.sqrt(float(state) + 1.0) - 1.0))
        index += max(step, 1)


for seed in SEEDS:
    print(f"{seed:#x}:", *cells(seed, 100_000))
