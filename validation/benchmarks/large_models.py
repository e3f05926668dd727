"""Seconds until a large network is loaded, checked and simulated, by its number of reactions.

Run `python validation/benchmarks/large_models.py --reactions 1000,10000`. Prints a Markdown table;
every size runs in a process of its own, so that compiled code and caches of one do not help the
next. Kernels are compiled before the clock starts, as they are kept on disk for all models.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Iterator

COLUMNS = ("load", "lower", "first simulation", "check", "ODE")


def large_network(reactions: int, *, hub: bool = False) -> str:
    """Return a sparse network as SBML: half as many species, a few of them in every reaction.

    Of ten reactions, four are conversions, two bimolecular, two reversible, one has a local
    parameter and one is catalysed by a sum that an assignment rule gives. With a hub, one species
    is the first reactant of all.
    """
    species = max(reactions // 2, 10)
    rules = max(reactions // 100, 1)
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">',
        f'<model id="sparse_{reactions}" substanceUnits="item" extentUnits="item" '
        'timeUnits="second" volumeUnits="litre">',
        '<listOfCompartments><compartment id="cell" size="1" spatialDimensions="3" '
        'constant="true"/></listOfCompartments>',
        "<listOfSpecies>",
        *(
            f'<species id="S{i}" compartment="cell" initialAmount="{10 + i % 7}" '
            f'hasOnlySubstanceUnits="{"true" if i % 2 else "false"}" boundaryCondition="false" '
            'constant="false"/>'
            for i in range(species)
        ),
        "</listOfSpecies><listOfParameters>",
        *(
            f'<parameter id="k{i}" value="{0.01 * (1 + i % 9)!r}" constant="true"/>'
            for i in range(reactions)
        ),
        *(f'<parameter id="total{i}" constant="false"/>' for i in range(rules)),
        "</listOfParameters><listOfRules>",
        *(
            f'<assignmentRule variable="total{i}">{_math("plus", *_members(i, species))}'
            "</assignmentRule>"
            for i in range(rules)
        ),
        "</listOfRules><listOfReactions>",
        *(part for i in range(reactions) for part in _reaction(i, species, rules, hub)),
        "</listOfReactions></model></sbml>",
    ]
    return "\n".join(parts)


def _members(rule: int, species: int) -> tuple[str, str, str]:
    first = 37 * rule
    return f"S{first % species}", f"S{(first + 11) % species}", f"S{(first + 23) % species}"


def _apply(operator: str, *arguments: str) -> str:
    written = "".join(a if a.startswith("<") else f"<ci>{a}</ci>" for a in arguments)
    return f"<apply><{operator}/>{written}</apply>"


def _math(operator: str, *arguments: str) -> str:
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{_apply(operator, *arguments)}</math>'


def _references(side: str, *species: str) -> str:
    inner = "".join(
        f'<speciesReference species="{s}" stoichiometry="1" constant="true"/>' for s in species
    )
    return f"<listOf{side}>{inner}</listOf{side}>"


def _reaction(i: int, species: int, rules: int, hub: bool) -> Iterator[str]:
    kind = i % 10
    a, b, c = (f"S{(7 * i + step) % species}" for step in (0, 1, 5))
    if hub:
        a, b, c = "S0", f"S{1 + i % (species - 1)}", f"S{1 + (i + 1) % (species - 1)}"
    k, other = f"k{i}", f"k{i - 1}"
    reversible = "true" if kind in (6, 7) else "false"
    yield f'<reaction id="J{i}" reversible="{reversible}">'
    yield _references("Reactants", *((a, b) if kind in (4, 5) else (a,)))
    yield _references("Products", c)
    if kind == 8:
        yield _references_to_modifier(f"S{(7 * i + 3) % species}")
    yield "<kineticLaw>"
    if kind < 4:
        yield _math("times", k, a)
    elif kind < 6:
        yield _math("times", k, a, b)
    elif kind < 8:
        yield _math("minus", _apply("times", k, a), _apply("times", other, c))
    elif kind == 8:
        yield _math("times", "local", a, f"S{(7 * i + 3) % species}")
        yield "<listOfLocalParameters>"
        yield '<localParameter id="local" value="0.002"/></listOfLocalParameters>'
    else:
        yield _math("times", k, f"total{i // 10 % rules}", a)
    yield "</kineticLaw></reaction>"


def _references_to_modifier(species: str) -> str:
    return f'<listOfModifiers><modifierSpeciesReference species="{species}"/></listOfModifiers>'


def measure(reactions: int, hub: bool, ode: bool) -> tuple[dict[str, float], float]:
    """Return step → seconds for one network, and the memory used at most in MiB."""
    import sbmlgrad as sg
    from sbmlgrad.codegen.lowering import lower

    text = large_network(reactions, hub=hub)
    # Compile what does not depend on the model.
    small = sg.load(large_network(10))
    sg.simulate(small, times=[0.1], seed=1, engine=sg.engines.Native(1))
    sg.check(large_network(10))
    seconds = {}
    begin = time.perf_counter()
    model = sg.load(text)
    seconds["load"] = time.perf_counter() - begin
    begin = time.perf_counter()
    lower(model)
    seconds["lower"] = time.perf_counter() - begin
    begin = time.perf_counter()
    # So short that about as many firings happen as the network has reactions.
    sg.simulate(model, times=[0.05], seed=1, engine=sg.engines.Native(1))
    seconds["first simulation"] = time.perf_counter() - begin
    begin = time.perf_counter()
    issues = sg.check(text)
    seconds["check"] = time.perf_counter() - begin
    assert not [issue for issue in issues if issue.blocks], issues[0]
    if ode:
        begin = time.perf_counter()
        sg.simulate(model, times=[0.05], engine=sg.engines.ODE())
        seconds["ODE"] = time.perf_counter() - begin
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reactions", default="1000,10000", help="sizes, separated by commas")
    parser.add_argument("--hub", action="store_true", help="one species reacts in all reactions")
    parser.add_argument("--ode", action="store_true", help="also solve the rate equations once")
    given = parser.parse_args()
    print("| reactions | " + " | ".join(f"{c} [s]" for c in COLUMNS) + " | memory [MiB] |")
    print("|--:" * (len(COLUMNS) + 2) + "|")
    context = multiprocessing.get_context("spawn")
    for size in map(int, given.reactions.split(",")):
        with context.Pool(1) as pool:
            seconds, memory = pool.apply(measure, (size, given.hub, given.ode))
        cells = [f"{seconds[c]:.2f}" if c in seconds else "" for c in COLUMNS]
        print(f"| {size:,} | {' | '.join(cells)} | {memory:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
