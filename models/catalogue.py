"""The shipped models as plain data; `make_models.py` turns them into SBML and a table.

To add a model, add one entry to `MODELS`. Counts are molecules (or channels, or persons), and rate
constants are for counts: firings per time, without any volume.
"""

from __future__ import annotations

from description import (
    ASSOCIATION_RATE_CONSTANT,
    BINDING,
    COMPLEX,
    CONFORMATIONAL_TRANSITION,
    DEGRADATION,
    DISSOCIATION_RATE_CONSTANT,
    FORWARD_RATE_CONSTANT,
    GENE,
    MASS_ACTION_REVERSIBLE,
    PROTEIN,
    REVERSE_RATE_CONSTANT,
    RIBONUCLEIC_ACID,
    TRANSCRIPTION,
    ZEROTH_ORDER_RATE_CONSTANT,
    Model,
    Parameter,
    Reaction,
    Species,
)
from gating import GATING_THREE_STATES, GATING_TWO_STATES
from oscillator import OSCILLATOR
from osmotic_shock import OSMOTIC_SHOCK

_EXACT_GRADIENTS = (
    "Vilar JMG, Saiz L. Exact discrete stochastic simulation with deep-learning-scale gradient "
    "optimization. arXiv 2602.19775 (2026)"
)
_STOCHASTIC_SUITE = (
    "Evans TW, Gillespie CS, Wilkinson DJ. The SBML discrete stochastic models test suite. "
    "Bioinformatics 24:285-286 (2008)"
)

_DIMERIZATION = Model(
    id="dimerization",
    name="Reversible dimerisation",
    time="second",
    place="cell",
    about="Two molecules A and B bind reversibly to a dimer C. One reversible reaction whose "
    "kinetic law is the difference of a second-order and a first-order term; exact stochastic "
    "simulation fires the two terms separately.",
    purpose="smallest nonlinear network; splitting of a reversible law",
    source=_EXACT_GRADIENTS,
    doi="10.48550/arXiv.2602.19775",
    species=(
        Species("A", 100, "monomer A", PROTEIN),
        Species("B", 90, "monomer B", PROTEIN),
        Species("C", 0, "dimer of A and B", COMPLEX),
    ),
    parameters=(
        Parameter("k1", 0.01, "per_item_per_time", "association", ASSOCIATION_RATE_CONSTANT),
        Parameter("k2", 0.32, "per_time", "dissociation", DISSOCIATION_RATE_CONSTANT),
    ),
    reactions=(
        Reaction(
            "dimerisation",
            "A + B <-> C",
            "k1*A*B - k2*C",
            "A and B bind and come apart",
            BINDING,
            MASS_ACTION_REVERSIBLE,
        ),
    ),
)

_ION_CHANNEL = Model(
    id="ion_channel",
    name="Three-state ion channel",
    time="millisecond",
    place="membrane_patch",
    about="Two independent channels, closed at first, open and close reversibly and from the open "
    "state inactivate for good.",
    purpose="few channels, linear rates, an absorbing state",
    source=_EXACT_GRADIENTS,
    doi="10.48550/arXiv.2602.19775",
    species=(
        Species("C", 2, "closed channels", PROTEIN),
        Species("O", 0, "open channels", PROTEIN),
        Species("I", 0, "inactivated channels", PROTEIN),
    ),
    parameters=(
        Parameter("c_o", 0.75, "per_time", "opening, from C to O", FORWARD_RATE_CONSTANT),
        Parameter("o_c", 0.103, "per_time", "closing, from O to C", REVERSE_RATE_CONSTANT),
        Parameter("o_i", 1.159, "per_time", "inactivation, from O to I", FORWARD_RATE_CONSTANT),
    ),
    reactions=(
        Reaction(
            "gating",
            "C <-> O",
            "c_o*C - o_c*O",
            "opening and closing",
            CONFORMATIONAL_TRANSITION,
            MASS_ACTION_REVERSIBLE,
        ),
        Reaction("inactivation", "O -> I", "o_i*O", "inactivation", CONFORMATIONAL_TRANSITION),
    ),
)

_BIRTH_DEATH = Model(
    id="birth_death",
    name="Birth and death",
    time="second",
    place="cell",
    about="Every individual divides at rate lambda and dies at rate mu. Death outweighs birth, so "
    "the population dies out. Case 00001 of the stochastic SBML test suite.",
    purpose="closed-form mean and variance; absorption at zero",
    source=_STOCHASTIC_SUITE,
    doi="10.1093/bioinformatics/btm566",
    species=(Species("X", 100, "individuals"),),
    parameters=(
        Parameter("lambda", 0.1, "per_time", "birth"),
        Parameter("mu", 0.11, "per_time", "death"),
    ),
    reactions=(
        Reaction("birth", "X -> 2 X", "lambda*X", "birth"),
        Reaction("death", "X -> ", "mu*X", "death"),
    ),
)

_IMMIGRATION_DEATH = Model(
    id="immigration_death",
    name="Immigration and death",
    time="second",
    place="cell",
    about="Individuals arrive at the constant rate alpha, and each dies at rate mu. Started empty, "
    "the count is Poisson distributed at all times. Case 00020 of the stochastic SBML test suite.",
    purpose="closed-form distribution; a propensity that is zero at the start",
    source=_STOCHASTIC_SUITE,
    doi="10.1093/bioinformatics/btm566",
    species=(Species("X", 0, "individuals"),),
    parameters=(
        Parameter("alpha", 1.0, "item_per_time", "immigration", ZEROTH_ORDER_RATE_CONSTANT),
        Parameter("mu", 0.1, "per_time", "death"),
    ),
    reactions=(
        Reaction("immigration", " -> X", "alpha", "immigration"),
        Reaction("death", "X -> ", "mu*X", "death"),
    ),
)

_TELEGRAPH = Model(
    id="telegraph",
    name="Telegraph model of gene expression",
    time="minute",
    place="cell",
    about="A gene switches on and off; while it is on it is transcribed; the mRNA M decays. "
    "The structure is that of the paper; the values are illustrative: the gene is off for 20 "
    "minutes and on for 5 on average, makes 10 transcripts a burst, and M lives for 20 minutes.",
    purpose="bursts, a slow switch; known stationary distribution",
    source="Peccoud J, Ycart B. Markovian modeling of gene-product synthesis. Theoretical "
    "Population Biology 48:222-234 (1995)",
    doi="10.1006/tpbi.1995.1027",
    species=(
        Species("gene_off", 1, "gene, inactive", GENE),
        Species("gene_on", 0, "gene, active", GENE),
        Species("M", 0, "mRNA", RIBONUCLEIC_ACID),
    ),
    parameters=(
        Parameter("k_on", 0.05, "per_time", "activation of the gene", FORWARD_RATE_CONSTANT),
        Parameter("k_off", 0.2, "per_time", "inactivation of the gene", REVERSE_RATE_CONSTANT),
        Parameter("k_transcription", 2.0, "per_time", "transcription"),
        Parameter("k_decay", 0.05, "per_time", "decay of mRNA"),
    ),
    reactions=(
        Reaction(
            "switching",
            "gene_off <-> gene_on",
            "k_on*gene_off - k_off*gene_on",
            "the gene turns on and off",
            law_sbo=MASS_ACTION_REVERSIBLE,
        ),
        Reaction(
            "transcription",
            "gene_on -> gene_on + M",
            "k_transcription*gene_on",
            "transcription",
            TRANSCRIPTION,
        ),
        Reaction("decay", "M -> ", "k_decay*M", "decay of mRNA", DEGRADATION),
    ),
)

_SIR = Model(
    id="sir",
    name="Epidemic in a closed population (SIR)",
    time="day",
    place="school",
    about="Susceptible persons S are infected by infectious persons I, who recover to R. Closed, "
    "well-mixed population of N = 763, three of them infectious at first: the boys of the English "
    "boarding school whose influenza counts of 1978 are shipped beside this model. The rates are a "
    "starting point for fitting, not a fit.",
    purpose="fitting to the influenza counts in `data/`",
    source="Kermack WO, McKendrick AG. A contribution to the mathematical theory of epidemics. "
    "Proceedings of the Royal Society A 115:700-721 (1927)",
    doi="10.1098/rspa.1927.0118",
    species=(
        Species("S", 760, "susceptible persons"),
        Species("I", 3, "infectious persons"),
        Species("R", 0, "recovered persons"),
    ),
    parameters=(
        Parameter("beta", 1.5, "per_time", "transmission"),
        Parameter("gamma", 0.5, "per_time", "recovery"),
        Parameter("N", 763.0, "item", "population size", ""),
    ),
    reactions=(
        Reaction("infection", "S + I -> 2 I", "beta*S*I/N", "infection", law_sbo=""),
        Reaction("recovery", "I -> R", "gamma*I", "recovery"),
    ),
)

MODELS = (
    _DIMERIZATION,
    OSCILLATOR,
    _ION_CHANNEL,
    _BIRTH_DEATH,
    _IMMIGRATION_DEATH,
    _TELEGRAPH,
    _SIR,
    GATING_TWO_STATES,
    GATING_THREE_STATES,
    OSMOTIC_SHOCK,
)
