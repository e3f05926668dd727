"""Small networks with exact answers, as Antimony text, and what to read out of them.

Used by the gradient campaign and by the tests. Rates are in arbitrary units of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sbmlgrad as sg
from sbmlgrad.engines.readouts import Readout, ValuesAt, WindowAverages
from sbmlgrad.model.network import ReactionNetwork

HEAD = "unit substance = item; unit extent = item; compartment cell = 1;\n"

TEXTS = {
    "ion_channel": """
        substanceOnly species C in cell, O in cell, I in cell; C = 2; O = 0; I = 0;
        co = 0.75; oc = 0.103; oi = 1.159;
        J0: C -> O; co*C - oc*O;
        J1: O => I; oi*O;
    """,
    "small_dimer": """
        substanceOnly species A in cell, B in cell, C in cell; A = 6; B = 5; C = 0;
        k1 = 0.3; k2 = 0.5;
        J0: A + B -> C; k1*A*B - k2*C;
    """,
    "dimer": """
        substanceOnly species A in cell, B in cell, C in cell; A = 100; B = 90; C = 0;
        k1 = 0.01; k2 = 0.32;
        J0: A + B -> C; k1*A*B - k2*C;
    """,
    "autoregulation": """
        substanceOnly species G in cell, P in cell; G = 1; P = 0;
        bind = 0.05; make = 10; decay = 1;
        J0: G + P => P; bind*G*P;
        J1: G => G + P; make*G;
        J2: P => ; decay*P;
    """,
    "enzyme": """
        substanceOnly species S in cell, E in cell, ES in cell, P in cell;
        S = 20; E = 3; ES = 0; P = 0;
        kf = 0.1; kr = 0.5; kc = 1;
        J0: S + E -> ES; kf*S*E - kr*ES;
        J1: ES => E + P; kc*ES;
    """,
    "epidemic": """
        substanceOnly species S in cell, I in cell, R in cell; S = 27; I = 3; R = 0;
        beta = 2; recovery = 1; N = 30;
        J0: S + I => 2 I; beta*S*I/N;
        J1: I => R; recovery*I;
    """,
    "immigration_death": """
        substanceOnly species X in cell; X = 0;
        alpha = 2; mu = 0.4;
        J0: => X; alpha;
        J1: X => ; mu*X;
    """,
    "hill": """
        substanceOnly species X in cell; X = 2;
        v = 4; K = 5; n = 2; mu = 0.5;
        J0: => X; v*K^n/(K^n + X^n);
        J1: X => ; mu*X;
    """,
    "michaelis_menten": """
        compartment tube = 2;
        species S in tube, P in tube; S = 10; P = 0;
        Vmax = 3; Km = 2;
        J0: S => P; tube*Vmax*S/(Km + S);
    """,
    "two_compartments": """
        compartment blood = 2, tissue = 0.5;
        species D in blood, T in tissue, R in tissue, B in tissue; D = 5; T = 0; R = 8; B = 0;
        inward = 0.6; outward = 0.3; on = 0.15;
        J0: D => T; inward*blood*D;
        J1: T => D; outward*tissue*T;
        J2: T + R => B; on*tissue*T*R;
    """,
    "schloegl": """
        substanceOnly species X in cell; X = 25;
        c1 = 5.352; c2 = 0.240; c3 = 108.102; c4 = 37.881;
        J0: => X; c1*X*(X - 1)/2;
        J1: X => ; c2*X*(X - 1)*(X - 2)/6;
        J2: => X; c3;
        J3: X => ; c4*X;
    """,
    "promoter": """
        substanceOnly species G in cell, F in cell, P in cell; G = 1; F = 0; P = 0;
        bind = 0.05; make = 10; decay = 1; release = 0.2;
        J0: G + P => F + P; bind*G*P;
        J1: G => G + P; make*G;
        J2: P => ; decay*P;
        J3: F => G; release*F;
    """,
    "outbreak": """
        substanceOnly species S in cell, I in cell, R in cell; S = 27; I = 3; R = 0;
        beta = 0.06; recovery = 0.5;
        J0: S + I => 2 I; beta*S*I;
        J1: I => R; recovery*I;
    """,
    "slow_enzyme": """
        substanceOnly species S in cell, E in cell, ES in cell, P in cell;
        S = 20; E = 3; ES = 0; P = 0;
        kf = 0.05; kr = 0.2; kc = 0.7;
        J0: S + E -> ES; kf*S*E - kr*ES;
        J1: ES => E + P; kc*ES;
    """,
    "few": """
        substanceOnly species X in cell; X = 0;
        birth = 1; death = 1;
        J0: => X; birth;
        J1: X => ; death*X;
    """,
    "fewer": """
        substanceOnly species X in cell; X = 0;
        birth = 0.5; death = 1;
        J0: => X; birth;
        J1: X => ; death*X;
    """,
    "lattice": """
        substanceOnly species X in cell, Y in cell; X = 16; Y = 4;
        c1 = 0.76; c2 = 0.06; c3 = 7; c4 = 3.4; hop = 0.3;
        J0: => X; c1*X*(X - 1)/2;
        J1: X => ; c2*X*(X - 1)*(X - 2)/6;
        J2: => X; c3;
        J3: X => ; c4*X;
        J4: => Y; c1*Y*(Y - 1)/2;
        J5: Y => ; c2*Y*(Y - 1)*(Y - 2)/6;
        J6: => Y; c3;
        J7: Y => ; c4*Y;
        J8: X -> Y; hop*X - hop*Y;
    """,
    "toggle": """
        substanceOnly species U in cell, V in cell; U = 4; V = 4;
        a = 12; K = 2; d = 1;
        J0: => U; a/(1 + (V/K)^2);
        J1: U => ; d*U;
        J2: => V; a/(1 + (U/K)^2);
        J3: V => ; d*V;
    """,
}


@dataclass(frozen=True)
class Case:
    """A network, one readout of one species, its free parameters, the default estimator's bias.

    Attributes:
        name: key of `TEXTS`, unless there is a source.
        species: id.
        readout: of a trajectory.
        parameters: ids.
        largest_bias: of the default estimator, relative.
        source: text or path of the network; None means that of the name.
        statistic: of the count at each point: `"mean"`, `"variance"`, or `"square"`, the second
            moment; the latter two for values at times.
    """

    name: str
    species: str
    readout: Readout
    parameters: tuple[str, ...]
    largest_bias: float = 0.01
    source: str | Path | None = None
    statistic: str = "mean"

    def network(self) -> ReactionNetwork:
        """Return the network, loaded."""
        return sg.load(self.source if self.source is not None else HEAD + TEXTS[self.name])


CASES = (
    Case("ion_channel", "O", WindowAverages([0, 1, 2, 3, 4]), ("co", "oc", "oi")),
    Case("small_dimer", "C", WindowAverages([0, 1, 2, 3]), ("k1", "k2")),
    Case("dimer", "C", WindowAverages([0, 1 / 3, 2 / 3, 1]), ("k1", "k2")),
    Case("autoregulation", "P", WindowAverages([0, 1, 2, 3]), ("bind", "make", "decay")),
    Case("enzyme", "P", ValuesAt([1, 2, 4]), ("kf", "kr", "kc")),
    Case("epidemic", "I", ValuesAt([1, 2, 3]), ("beta", "recovery"), 0.05),
    Case("immigration_death", "X", ValuesAt([1, 3]), ("alpha", "mu")),
    Case("hill", "X", ValuesAt([1, 3]), ("v", "K", "n", "mu")),
    Case("michaelis_menten", "P", ValuesAt([1, 3]), ("Vmax", "Km")),
    Case("two_compartments", "B", ValuesAt([1, 3]), ("inward", "outward", "on"), 0.025),
)

_CONSTANTS = ("c1", "c2", "c3", "c4")
_SWITCHING = ("bind", "make", "decay", "release")

#: Bistable, or slowly switching: where the default estimator is known to be biased or noisy.
HARD_CASES = (
    Case("schloegl", "X", WindowAverages([0, 0.1, 0.2, 0.3]), _CONSTANTS),
    Case("schloegl", "X", WindowAverages([0, 1 / 3, 2 / 3, 1]), _CONSTANTS),
    Case("promoter", "P", ValuesAt([10]), _SWITCHING),
    Case("toggle", "U", ValuesAt([10]), ("a", "K", "d")),
    Case("lattice", "X", WindowAverages([0, 1, 2, 3]), (*_CONSTANTS, "hop")),
)

#: Readouts and rates that the estimators were first tried on, where `CASES` has others: averages
#: over thirds of the time instead of values at times, a slower enzyme, and a slower epidemic whose
#: removed are read.
FIRST_CASES = (
    Case("slow_enzyme", "P", WindowAverages([0, 2, 4, 6]), ("kf", "kr", "kc")),
    Case("outbreak", "R", WindowAverages([0, 1, 2, 3]), ("beta", "recovery")),
    Case("promoter", "P", WindowAverages([0, 1, 2, 3]), _SWITCHING),
    Case("promoter", "P", WindowAverages([0, 10 / 3, 20 / 3, 10]), _SWITCHING, 0.13),
    Case("schloegl", "X", WindowAverages([0, 1 / 30, 2 / 30, 0.1]), _CONSTANTS),
)

_BIRTH_DEATH = ("birth", "death")

#: Squares of counts near zero, which the default estimator is known to be biased on; the counts are
#: Poisson, so that everything has a closed form.
SQUARED_CASES = (
    Case("few", "X", ValuesAt([2]), _BIRTH_DEATH, 0.06, statistic="square"),
    Case("fewer", "X", ValuesAt([4]), _BIRTH_DEATH, 0.12, statistic="square"),
    Case("few", "X", ValuesAt([2]), _BIRTH_DEATH, 0.1, statistic="variance"),
    Case("fewer", "X", ValuesAt([4]), _BIRTH_DEATH, 0.2, statistic="variance"),
)
