"""The genetic oscillator of Vilar, Kueh, Barkai and Leibler (2002), parameters as in the paper."""

from __future__ import annotations

from description import (
    ASSOCIATION_RATE_CONSTANT,
    BINDING,
    COMPLEX,
    DEGRADATION,
    DISSOCIATION,
    DISSOCIATION_RATE_CONSTANT,
    GENE,
    PROTEIN,
    RIBONUCLEIC_ACID,
    TRANSCRIPTION,
    TRANSLATION,
    Model,
    Parameter,
    Reaction,
    Species,
)

OSCILLATOR = Model(
    id="oscillator",
    name="Genetic oscillator with activator and repressor",
    time="hour",
    place="cell",
    about="An activator A switches on its own gene and that of a repressor R, which takes A away "
    "in the complex C; within C only A is degraded, which sets R free. Sixteen irreversible "
    "mass-action reactions, counts rising and falling about once a day.",
    purpose="long horizons, many firings; benchmark",
    source="Vilar JMG, Kueh HY, Barkai N, Leibler S. Mechanisms of noise-resistance in genetic "
    "oscillators. PNAS 99:5988-5992 (2002)",
    doi="10.1073/pnas.092133899",
    species=(
        Species("DA", 1, "activator gene, free promoter", GENE),
        Species("DA_prime", 0, "activator gene, A bound to the promoter", GENE),
        Species("DR", 1, "repressor gene, free promoter", GENE),
        Species("DR_prime", 0, "repressor gene, A bound to the promoter", GENE),
        Species("MA", 0, "activator mRNA", RIBONUCLEIC_ACID),
        Species("MR", 0, "repressor mRNA", RIBONUCLEIC_ACID),
        Species("A", 0, "activator", PROTEIN),
        Species("R", 0, "repressor", PROTEIN),
        Species("C", 0, "complex of activator and repressor", COMPLEX),
    ),
    parameters=(
        Parameter("alpha_A", 50.0, "per_time", "transcription of DA"),
        Parameter("alpha_A_prime", 500.0, "per_time", "transcription of DA_prime"),
        Parameter("alpha_R", 0.01, "per_time", "transcription of DR"),
        Parameter("alpha_R_prime", 50.0, "per_time", "transcription of DR_prime"),
        Parameter("beta_A", 50.0, "per_time", "translation of MA"),
        Parameter("beta_R", 5.0, "per_time", "translation of MR"),
        Parameter("delta_MA", 10.0, "per_time", "degradation of MA"),
        Parameter("delta_MR", 0.5, "per_time", "degradation of MR"),
        Parameter("delta_A", 1.0, "per_time", "degradation of A, free or in the complex"),
        Parameter("delta_R", 0.2, "per_time", "degradation of R"),
        Parameter(
            "gamma_A", 1.0, "per_item_per_time", "binding of A to DA", ASSOCIATION_RATE_CONSTANT
        ),
        Parameter(
            "gamma_R", 1.0, "per_item_per_time", "binding of A to DR", ASSOCIATION_RATE_CONSTANT
        ),
        Parameter(
            "gamma_C", 2.0, "per_item_per_time", "binding of A to R", ASSOCIATION_RATE_CONSTANT
        ),
        Parameter(
            "theta_A", 50.0, "per_time", "release of A from DA_prime", DISSOCIATION_RATE_CONSTANT
        ),
        Parameter(
            "theta_R", 100.0, "per_time", "release of A from DR_prime", DISSOCIATION_RATE_CONSTANT
        ),
    ),
    reactions=(
        Reaction("bind_DA", "A + DA -> DA_prime", "gamma_A*A*DA", "A binds DA", BINDING),
        Reaction(
            "release_DA", "DA_prime -> A + DA", "theta_A*DA_prime", "A leaves DA", DISSOCIATION
        ),
        Reaction("bind_DR", "A + DR -> DR_prime", "gamma_R*A*DR", "A binds DR", BINDING),
        Reaction(
            "release_DR", "DR_prime -> A + DR", "theta_R*DR_prime", "A leaves DR", DISSOCIATION
        ),
        Reaction(
            "transcribe_DA_prime",
            "DA_prime -> DA_prime + MA",
            "alpha_A_prime*DA_prime",
            "activated transcription of MA",
            TRANSCRIPTION,
        ),
        Reaction(
            "transcribe_DA",
            "DA -> DA + MA",
            "alpha_A*DA",
            "basal transcription of MA",
            TRANSCRIPTION,
        ),
        Reaction(
            "transcribe_DR_prime",
            "DR_prime -> DR_prime + MR",
            "alpha_R_prime*DR_prime",
            "activated transcription of MR",
            TRANSCRIPTION,
        ),
        Reaction(
            "transcribe_DR",
            "DR -> DR + MR",
            "alpha_R*DR",
            "basal transcription of MR",
            TRANSCRIPTION,
        ),
        Reaction("degrade_MA", "MA -> ", "delta_MA*MA", "degradation of MA", DEGRADATION),
        Reaction("degrade_MR", "MR -> ", "delta_MR*MR", "degradation of MR", DEGRADATION),
        Reaction("translate_MA", "MA -> MA + A", "beta_A*MA", "translation of MA", TRANSLATION),
        Reaction("translate_MR", "MR -> MR + R", "beta_R*MR", "translation of MR", TRANSLATION),
        Reaction("bind_A_R", "A + R -> C", "gamma_C*A*R", "A binds R", BINDING),
        Reaction("degrade_A", "A -> ", "delta_A*A", "degradation of A", DEGRADATION),
        Reaction("degrade_R", "R -> ", "delta_R*R", "degradation of R", DEGRADATION),
        Reaction(
            "degrade_A_in_C", "C -> R", "delta_A*C", "degradation of A in the complex", DEGRADATION
        ),
    ),
)
