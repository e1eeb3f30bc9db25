"""What the simulator's ledger calls the amounts that KPIs are made of, by type of asset."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from kpi.kpi import Amount

Quantities: TypeAlias = Mapping[tuple[str, Amount], tuple[str, str]]

LOAD: Final[dict[tuple[str, Amount], tuple[str, str]]] = {
    ("load", Amount.INTEGRAL): ("load_kwh", "kWh")
}
FUEL: Final[dict[tuple[str, Amount], tuple[str, str]]] = {
    ("fuel_heat", Amount.INTEGRAL): ("fuel_heat_gj", "GJ"),
    ("fuel_emission", Amount.INTEGRAL): ("fuel_co2_kg", "kg"),
}
GENERATION: Final[Quantities] = {
    ("power", Amount.INTEGRAL): ("net_kwh", "kWh"),
    ("energy", Amount.INCREASE): ("energy_kwh", "kWh"),
    ("available", Amount.ACTIVE): ("available_s", "s"),
    ("power_unavailable", Amount.INTEGRAL): ("unavailable_kwh", "kWh"),
    ("power_curtailed", Amount.INTEGRAL): ("curtailed_kwh", "kWh"),
}

#: Asset type -> measure and aggregate -> quantity of the ledger and its unit.
QUANTITIES: Final[Mapping[str, Quantities]] = {
    "pot": {
        ("metal_tapped", Amount.TOTAL): ("metal_tapped_kg", "kg"),
        ("metal_inventory_change", Amount.TOTAL): ("metal_gain_kg", "kg"),
        ("pure_metal_tapped", Amount.TOTAL): ("pure_metal_kg", "kg"),
        ("metal_on_grade", Amount.TOTAL): ("metal_on_grade_kg", "kg"),
        ("anode_set", Amount.TOTAL): ("anode_set_kg", "kg"),
        ("butt_removed", Amount.TOTAL): ("butt_removed_kg", "kg"),
        ("alumina_fed", Amount.INCREASE): ("alumina_fed_kg", "kg"),
        ("alf3_fed", Amount.INCREASE): ("alf3_fed_kg", "kg"),
        ("pot_current", Amount.INTEGRAL): ("charge_kah", "kA h"),
        ("power", Amount.INTEGRAL): ("energy_kwh", "kWh"),
        ("operating", Amount.ACTIVE): ("operating_s", "s"),
        ("anode_effect_by_voltage", Amount.ACTIVE): ("anode_effect_s", "s"),
        ("anode_effect_by_voltage", Amount.ACTIVATIONS): ("anode_effects", "1"),
        ("overvoltage", Amount.INTEGRAL): ("overvoltage_v_s", "V s"),
        ("voltage", Amount.INTEGRAL): ("voltage_v_s", "V s"),
        ("resistance", Amount.INTEGRAL): ("resistance_uohm_s", "uohm s"),
        ("normal_voltage", Amount.INTEGRAL): ("normal_voltage_v_s", "V s"),
        ("voltage_slope", Amount.INTEGRAL): ("voltage_slope_v_min_s", "V/min*s"),
        ("noise_fast", Amount.INTEGRAL): ("noise_fast_v_s", "V s"),
        ("noise_slow", Amount.INTEGRAL): ("noise_slow_v_s", "V s"),
        ("noise_alarm", Amount.ACTIVE): ("noise_alarm_s", "s"),
        ("superheat", Amount.INTEGRAL): ("superheat_k_s", "delta_degC s"),
        ("bath_excess_alf3", Amount.INTEGRAL): ("excess_alf3_percent_s", "percent s"),
    },
    "potline": {
        ("line_current", Amount.INTEGRAL): ("charge_kah", "kA h"),
        ("current_target", Amount.INTEGRAL): ("target_kah", "kA h"),
    },
    "rectifier": {
        ("load", Amount.INTEGRAL): ("ac_kwh", "kWh"),
        ("dc_power", Amount.INTEGRAL): ("dc_kwh", "kWh"),
    },
    "gas_treatment": LOAD,
    "potroom": LOAD,
    "carbon_plant": LOAD | FUEL,
    "casthouse": LOAD | FUEL,
    "refinery": {
        ("load", Amount.INTEGRAL): ("load_kwh", "kWh"),
        ("water_intake", Amount.INTEGRAL): ("intake_m3", "m^3"),
        ("water_discharge", Amount.INTEGRAL): ("discharge_m3", "m^3"),
    },
    "digestion": {
        ("bauxite_feed", Amount.INTEGRAL): ("bauxite_t", "t"),
        ("bauxite_alumina_flow", Amount.INTEGRAL): ("bauxite_alumina_t", "t"),
        ("extracted_alumina_flow", Amount.INTEGRAL): ("extracted_t", "t"),
        ("pregnant_flow", Amount.INTEGRAL): ("pregnant_m3", "m^3"),
        ("spent_alumina_flow", Amount.INTEGRAL): ("spent_alumina_kg", "kg"),
        ("pregnant_alumina_flow", Amount.INTEGRAL): ("pregnant_alumina_kg", "kg"),
        ("pregnant_caustic_flow", Amount.INTEGRAL): ("pregnant_caustic_kg", "kg"),
        ("pregnant_soda_flow", Amount.INTEGRAL): ("pregnant_soda_kg", "kg"),
        ("steam_flow", Amount.INTEGRAL): ("steam_t", "t"),
    },
    "clarification": {
        ("overflow_solids", Amount.INTEGRAL): ("solids_mg_s_l", "mg/L*s"),
        ("overflow_cloudy", Amount.ACTIVE): ("cloudy_s", "s"),
        **{
            (f"overflow_above_{limit}", Amount.ACTIVE): (f"above_{limit}_s", "s")
            for limit in (10, 20, 50, 100, 200, 500)
        },
    },
    "washing": {
        ("residue_flow", Amount.INTEGRAL): ("residue_t", "t"),
        ("residue_used", Amount.INTEGRAL): ("used_t", "t"),
        ("underflow_soda_flow", Amount.INTEGRAL): ("soda_kg", "kg"),
    },
    "precipitation": {
        ("precipitated_flow", Amount.INTEGRAL): ("precipitated_kg", "kg"),
        ("feed_flow", Amount.INTEGRAL): ("feed_m3", "m^3"),
    },
    "evaporation": {
        ("condensate_flow", Amount.INTEGRAL): ("condensate_t", "t"),
        ("steam_flow", Amount.INTEGRAL): ("steam_t", "t"),
        ("caustic_makeup", Amount.INTEGRAL): ("caustic_kg", "kg"),
    },
    "calcination": {
        ("alumina_produced", Amount.INCREASE): ("alumina_t", "t"),
        ("alumina_on_spec", Amount.INCREASE): ("on_spec_t", "t"),
        ("running", Amount.ACTIVE): ("running_s", "s"),
        ("planned", Amount.ACTIVE): ("planned_s", "s"),
        **FUEL,
    },
    "powerhouse": {
        ("steam_flow", Amount.INTEGRAL): ("steam_t", "t"),
        **FUEL,
    },
    "turbine": GENERATION,
    "inverter": GENERATION,
    "met_mast": {
        ("air_density", Amount.INTEGRAL): ("air_density_kg_s_m3", "kg/m^3*s"),
        ("wind_speed_normal", Amount.INTEGRAL): ("normal_wind_m", "m"),
        ("wind_east", Amount.INTEGRAL): ("east_s", "s"),
        ("wind_north", Amount.INTEGRAL): ("north_s", "s"),
    },
    "solar_farm": {
        ("irradiance", Amount.INTEGRAL): ("insolation_kwh_m2", "kWh/m^2"),
        ("irradiance_corrected", Amount.INTEGRAL): ("insolation_corrected_kwh_m2", "kWh/m^2"),
    },
    "battery": {
        ("charge_power", Amount.INTEGRAL): ("charged_kwh", "kWh"),
        ("discharge_power", Amount.INTEGRAL): ("discharged_kwh", "kWh"),
        ("stored_energy_change", Amount.TOTAL): ("stored_gain_kwh", "kWh"),
    },
    "grid": {
        ("import_power", Amount.INTEGRAL): ("import_kwh", "kWh"),
        ("export_power", Amount.INTEGRAL): ("export_kwh", "kWh"),
        ("import_emission", Amount.INTEGRAL): ("import_co2_kg", "kg"),
        ("renewable_import", Amount.INTEGRAL): ("renewable_kwh", "kWh"),
        ("carbon_free_import", Amount.INTEGRAL): ("carbon_free_kwh", "kWh"),
        ("market_emission", Amount.INTEGRAL): ("market_co2_kg", "kg"),
    },
}
