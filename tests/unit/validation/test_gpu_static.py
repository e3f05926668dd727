"""Instructions of a firing are counted on the way around the loop that keeps nothing."""

from __future__ import annotations

import sys

import pytest
from networks import ROOT

FOLDER = str(ROOT / "validation" / "benchmarks")

#: A loop of two blocks, with a way that stores, one that calls, and one that leaves.
CODE = """\
        /*0000*/                   MOV R1, c[0x0][0x28] ;
.L_x_0:
        /*0010*/                   IMAD.WIDE.U32 R2, R3, R4, RZ ;
        /*0020*/                   MUFU.RCP64H R5, R6 ;
        /*0030*/              @!P0 BRA `(.L_x_1) ;
        /*0040*/                   CALL.REL.NOINC `(division) ;
.L_x_1:
        /*0050*/                   DADD R8, R8, 1 ;
        /*0060*/               @P1 BRA `(.L_x_2) ;
        /*0070*/                   STG.E.64 desc[UR4][R2.64], R8 ;
        /*0080*/                   DMUL R8, R8, R8 ;
        /*0090*/                   DMUL R8, R8, R8 ;
.L_x_2:
        /*00a0*/                   ISETP.NE.AND P2, PT, R9, RZ, PT ;
        /*00b0*/               @P2 BRA `(.L_x_0) ;
        /*00c0*/                   EXIT ;
"""


@pytest.fixture
def static(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "path", [FOLDER, *sys.path])
    import gpu_static

    return gpu_static


def test_a_firing_neither_stores_nor_calls(static) -> None:
    firing = static.longest_firing(static.blocks_of(CODE))
    assert [i.split()[0] for i in firing] == [
        "IMAD.WIDE.U32",
        "MUFU.RCP64H",
        "@!P0",
        "DADD",
        "@P1",
        "ISETP.NE.AND",
        "@P2",
    ]


def test_code_without_a_division_has_no_firing(static) -> None:
    assert static.longest_firing(static.blocks_of(CODE.replace("MUFU.RCP64H", "MOV"))) == []


def test_code_that_always_stores_has_no_firing(static) -> None:
    stored = CODE.replace("DADD R8, R8, 1", "STG.E.64 desc[UR4][R2.64], R8")
    assert static.longest_firing(static.blocks_of(stored)) == []
