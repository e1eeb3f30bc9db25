"""A digestion unit of a Bayer refinery: bauxite and spent liquor in, pregnant liquor out.

Steady balances over the unit:
alumina out = alumina in + bauxite * available alumina * extraction;
caustic out = caustic in - what desilication binds;
liquor out = liquor in + condensed steam + moisture of the bauxite + volume of the alumina;
steam = heat to bring liquor and bauxite from the last flash heater to digestion temperature.
"""

from dataclasses import dataclass

AVAILABLE_ALUMINA = 0.45
EXTRACTION = 0.95
REACTIVE_SILICA = 0.02
SODA_PER_SILICA = 0.65 * 1.324951
"""0.65 kg NaOH bound per kg of reactive silica, expressed as Na2CO3."""

CAUSTIC_TO_SODA = 0.955
"""C/S of the liquor: the rest of its soda is carbonate."""

MOISTURE = 0.10
"""Water per wet bauxite."""

LIQUOR_T_PER_M3 = 1.27
LIQUOR_KJ_PER_KG_K = 3.4
BAUXITE_KJ_PER_KG_K = 0.95
STEAM_KJ_PER_KG = 2086.0
"""Latent heat at 6 bar (steam tables)."""

HEATER_DEGC = 112.0
"""What flash steam alone reaches; live steam does the rest."""

ALUMINA_M3_PER_T = 0.35
"""Volume that a tonne of dissolved alumina adds to the liquor."""

TOTAL_ALUMINA = 0.49
"""Al2O3 of the dry bauxite, with what is bound in silicates and does not dissolve."""

IRON = 0.17
"""Fe2O3 of the dry bauxite; none of it dissolves."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Flows and concentrations of one scan: t/h, m^3/h, kg/m^3, degC."""

    bauxite_feed: float
    spent_flow: float
    pregnant_flow: float
    caustic_concentration: float
    soda_concentration: float
    spent_alumina: float
    pregnant_alumina: float
    steam_flow: float
    temperature: float

    @property
    def dissolved(self) -> float:
        """Alumina taken up [t/h]."""
        return self.bauxite_feed * AVAILABLE_ALUMINA * EXTRACTION

    @property
    def residue(self) -> float:
        """What is left of the bauxite, dry [t/h]."""
        return self.bauxite_feed - self.dissolved


def balance(
    bauxite_feed: float,
    spent_flow: float,
    spent_caustic: float,
    spent_alumina: float,
    temperature: float,
) -> Balance:
    """Solve the unit for its feeds [t/h, m^3/h, kg/m^3, kg/m^3] and its temperature [degC]."""
    heat_mj_per_h = (temperature - HEATER_DEGC) * (
        spent_flow * LIQUOR_T_PER_M3 * LIQUOR_KJ_PER_KG_K + bauxite_feed * BAUXITE_KJ_PER_KG_K
    )
    steam_flow = heat_mj_per_h / STEAM_KJ_PER_KG
    dissolved = bauxite_feed * AVAILABLE_ALUMINA * EXTRACTION
    pregnant_flow = (
        spent_flow
        + steam_flow
        + bauxite_feed * MOISTURE / (1 - MOISTURE)
        + dissolved * ALUMINA_M3_PER_T
    )
    bound_kg = 1000 * bauxite_feed * REACTIVE_SILICA * SODA_PER_SILICA
    caustic = (spent_flow * spent_caustic - bound_kg) / pregnant_flow
    return Balance(
        bauxite_feed=bauxite_feed,
        spent_flow=spent_flow,
        pregnant_flow=pregnant_flow,
        caustic_concentration=caustic,
        soda_concentration=caustic / CAUSTIC_TO_SODA,
        spent_alumina=spent_alumina,
        pregnant_alumina=(spent_flow * spent_alumina + 1000 * dissolved) / pregnant_flow,
        steam_flow=steam_flow,
        temperature=temperature,
    )
