"""The SBML stochastic test suite, run with sbmlgrad and, beside it, with other simulators.

Run `python validation/dsmts.py --suite DIR` on the suite's `stochastic` folder; `--peers
roadrunner,copasi,gillespy2 --peer-python PATH` adds others, installed in an environment of their
own. Every case is judged by Z and Y in two stages (see `suites.dsmts_statistics`); sbmlgrad reads
every level asked for, and the levels must give the identical network. Exit code 1: sbmlgrad failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from peers.protocol import OURS, PEERS, Peer, missing
from suites.dsmts_campaign import Record, Rules, run_case
from suites.dsmts_case import Case, read_case, select
from suites.dsmts_report import report
from suites.dsmts_statistics import judged_points

import sbmlgrad as sg

LEVELS = "l2v4,l3v1,l3v2"


def starting_false(network: sg.ReactionNetwork) -> sg.ReactionNetwork:
    """Return the network with every trigger taken as false before time 0.

    Level 2 cannot say so: its triggers count as true then. Documents of one model may differ there
    although it matters only for a trigger that holds at time 0; such levels are all simulated.
    """
    events = tuple(replace(event, initial_value=False) for event in network.events)
    return replace(network, events=events)


def levels_of(case: Case, levels: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Return the levels to run, and whether all give the identical network.

    Args:
        case: the case.
        levels: those asked for; a case need not have all.

    Returns:
        One level for each different network (the first, if none can be loaded), and in words how
        they compare.
    """
    present = [level for level in levels if level in case.documents]
    if not present:
        return (), f"none of {', '.join(levels)}"
    networks: dict[str, sg.ReactionNetwork] = {}
    refused = []
    for level in present:
        try:
            networks[level] = sg.load(case.documents[level])
        except sg.SbmlGradError:
            refused.append(f"{level} refused")
        except Exception as error:
            # Not ours to raise: the report must say so, and the worker will end the same way.
            refused.append(f"{level} CRASHED ({type(error).__name__})")
    different = {}
    for level, network in networks.items():
        if all(network != other for other in different.values()):
            different[level] = network
    words = list(refused)
    if len(different) > 1:
        alike = [starting_false(network) for network in different.values()]
        same = all(network == alike[0] for network in alike)
        how = "identical but for initialValue" if same else "DIFFER"
        words.append(f"{', '.join(different)} {how}")
    elif len(networks) > 1:
        words.append(f"{len(networks)} identical")
    elif networks:
        words.append("one")
    run = [level for level in present if level in different or level not in networks]
    return tuple(run), "; ".join(words)


def run_ours(case: Case, levels: Sequence[str], rules: Rules) -> tuple[Record, str]:
    """Run a case with sbmlgrad in every level whose network is different.

    Args:
        case: the case.
        levels: those asked for.
        rules: how to run and judge.

    Returns:
        The worst record, and in words how the levels compare.
    """
    run, compared = levels_of(case, levels)
    if not run:
        return Record(case.number, OURS.name, "no document"), compared
    records = [run_case(case, level, OURS, rules) for level in run]
    failures = [record for record in records if not record.passed]
    return (failures or records)[0], compared


def available(names: Sequence[str], python: str) -> list[Peer]:
    """Return the peers that are installed; say of the others why they are left out.

    Args:
        names: keys of `PEERS`; any other ends the program.
        python: interpreter of the environment that they are installed in.
    """
    kept = []
    for name in names:
        if name not in PEERS:
            sys.exit(f"--peers {name}: choose from {', '.join(PEERS)}")
        reason = missing(PEERS[name], python)
        if reason is None:
            kept.append(PEERS[name])
        else:
            print(f"left out: {reason}", flush=True)
    return kept


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", type=Path, required=True, help="folder that holds 00001, ...")
    parser.add_argument("--cases", default="all", help="such as 1-39,41; default all")
    parser.add_argument("--trajectories", type=int, default=10_000)
    parser.add_argument("--levels", default=LEVELS)
    parser.add_argument("--peers", default="", help="from " + ",".join(PEERS))
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--peer-trajectories", type=int, help="default: as many as ours")
    parser.add_argument("--peer-level", default="l3v1")
    parser.add_argument("--only-peers", action="store_true", help="leave sbmlgrad out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--family-wise-error", type=float, default=0.01)
    parser.add_argument("--limit", type=float, default=300.0, help="seconds a run; 4 x in stage 2")
    parser.add_argument("--out", type=Path, help="Markdown file to write")
    return parser.parse_args()


def main() -> int:
    """Run the campaign."""
    options = arguments()
    try:
        cases = [read_case(folder) for folder in select(options.suite, options.cases)]
    except sg.SbmlGradError as error:
        sys.exit(f"error: {error}")
    rules = Rules(
        trajectories=options.trajectories,
        seed=options.seed,
        family_wise_error=options.family_wise_error,
        points=sum(judged_points(case) for case in cases),
        limit_s=options.limit,
        peer_python=options.peer_python,
    )
    peer_rules = Rules(
        **{**vars(rules), "trajectories": options.peer_trajectories or options.trajectories}
    )
    peers = available([p for p in options.peers.split(",") if p], options.peer_python)
    records: list[Record] = []
    compared: dict[str, str] = {}
    for case in cases:
        if not options.only_peers:
            record, compared[case.number] = run_ours(case, options.levels.split(","), rules)
            records.append(record)
            print(record, compared[case.number], flush=True)
        for peer in peers:
            level = options.peer_level
            level = level if level in case.documents else next(iter(case.documents))
            records.append(run_case(case, level, peer, peer_rules))
            print(records[-1], flush=True)
    text = report(records, compared, rules, peer_rules, options.peer_level)
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    ours = [record for record in records if record.simulator == OURS.name]
    differ = any("DIFFER" in words for words in compared.values())
    return int(differ or not all(record.passed for record in ours))


if __name__ == "__main__":
    sys.exit(main())
