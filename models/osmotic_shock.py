"""A gene that answers an osmotic shock, for snapshots of its mRNA in single cells."""

from __future__ import annotations

from description import (
    DEGRADATION,
    FORWARD_RATE_CONSTANT,
    GENE,
    REVERSE_RATE_CONSTANT,
    RIBONUCLEIC_ACID,
    TRANSCRIPTION,
    Model,
    Parameter,
    Reaction,
    Species,
)

#: Steps until the answer begins; with more of them it begins at a better defined time.
STEPS = 8

_WAITING = tuple(f"waiting_{i}" for i in range(1, STEPS + 1))


def _step(id: str, source: str, target: str, parameter: str, name: str) -> Reaction:
    return Reaction(id, f"{source} -> {target}", f"{parameter}*{source}", name)


def _transcription(id: str, source: str, parameter: str, name: str) -> Reaction:
    return Reaction(id, f"{source} -> {source} + M", f"{parameter}*{source}", name, TRANSCRIPTION)


OSMOTIC_SHOCK = Model(
    id="osmotic_shock",
    name="Gene expression after an osmotic shock",
    time="minute",
    place="cell",
    about="A telegraph model whose gene is switched on readily for a while. Time 0 is one minute "
    "before the shock. Within that minute a first state makes what mRNA a cell holds before the "
    f"shock, a geometric number. In {STEPS} equal steps the signal arrives; then the gene is "
    "turned on and off, at first readily, later rarely. The values are round numbers to start a "
    "fit from.",
    purpose="an answer of limited length; fitting to counts in single cells",
    source="Neuert G, Munsky B, Tan RZ, Teytelman L, Khammash M, van Oudenaarden A. Systematic "
    "identification of signal-activated stochastic gene regulation. Science 339:584-587 (2013)",
    doi="10.1126/science.1231456",
    species=(
        Species("before", 1, "gene before the shock", GENE),
        *(
            Species(id, 0, f"gene, step {i} of {STEPS} of the signal", GENE)
            for i, id in enumerate(_WAITING, 1)
        ),
        Species("gene_off", 0, "gene, inactive", GENE),
        Species("gene_on", 0, "gene, active", GENE),
        Species("late_off", 0, "gene after adaptation, inactive", GENE),
        Species("late_on", 0, "gene after adaptation, active", GENE),
        Species("M", 0, "mRNA", RIBONUCLEIC_ACID),
    ),
    parameters=(
        Parameter("k_leak", 10.0, "per_time", "transcription that precedes the shock"),
        Parameter("k_begin", 15.0, "per_time", "end of the first state", FORWARD_RATE_CONSTANT),
        Parameter("k_wait", 1.0, "per_time", "a step of the signal", FORWARD_RATE_CONSTANT),
        Parameter("k_on", 0.5, "per_time", "activation of the gene", FORWARD_RATE_CONSTANT),
        Parameter("k_off", 1.0, "per_time", "inactivation of the gene", REVERSE_RATE_CONSTANT),
        Parameter("k_adapt", 0.1, "per_time", "adaptation", FORWARD_RATE_CONSTANT),
        Parameter("k_on_late", 0.1, "per_time", "activation afterwards", FORWARD_RATE_CONSTANT),
        Parameter("k_transcription", 15.0, "per_time", "transcription"),
        Parameter("k_decay", 0.1, "per_time", "decay of mRNA"),
    ),
    reactions=(
        _transcription("leak", "before", "k_leak", "transcription that precedes the shock"),
        _step("begin", "before", _WAITING[0], "k_begin", "end of the first state"),
        *(
            _step(f"signal_{i}", source, target, "k_wait", f"step {i} of the signal")
            for i, (source, target) in enumerate(
                zip(_WAITING, (*_WAITING[1:], "gene_off"), strict=True), 1
            )
        ),
        _step("activation", "gene_off", "gene_on", "k_on", "activation"),
        _step("inactivation", "gene_on", "gene_off", "k_off", "inactivation"),
        _step("adaptation_off", "gene_off", "late_off", "k_adapt", "adaptation while inactive"),
        _step("adaptation_on", "gene_on", "late_on", "k_adapt", "adaptation while active"),
        _step("late_activation", "late_off", "late_on", "k_on_late", "activation afterwards"),
        _step("late_inactivation", "late_on", "late_off", "k_off", "inactivation afterwards"),
        _transcription("transcription", "gene_on", "k_transcription", "transcription"),
        _transcription("late_transcription", "late_on", "k_transcription", "transcription"),
        Reaction("decay", "M -> ", "k_decay*M", "decay of mRNA", DEGRADATION),
    ),
)
