/** By what the pots of a map are coloured: a table, so that a plant's own limits are one edit. */

/** How far from normal: 0 normal, 1 look at it, 2 act; the sign is the side. null: not known. */
export type Level = -2 | -1 | 0 | 1 | 2 | null;

export interface Colouring {
  id: "voltage" | "instability" | "temperature" | "age";
  /** Measures of a pot that it needs; the first is the number in the cell. */
  measures: readonly string[];
  /** What is shown in the cell, of the measures' values. */
  shown: (values: readonly number[]) => number;
  /** Distances from 0 at which a pot is worth a look, and at which somebody has to act. */
  look: number;
  act: number;
  unit: string;
  digits: number;
}

const MV_PER_V = 1000;

/**
 * Bounds of common practice at 500 kA: a pot 50 mV off its set voltage is looked at, one 150 mV off
 * is acted on; slow noise beyond 30 mV is the usual instability alarm; bath 10 degrees off 960 degC
 * is off its window; linings are watched from 2,000 days and seldom outlive 3,000.
 */
export const COLOURINGS: readonly Colouring[] = [
  {
    id: "voltage",
    measures: ["voltage", "voltage_target"],
    shown: ([voltage = Number.NaN, target = Number.NaN]) => MV_PER_V * (voltage - target),
    look: 50,
    act: 150,
    unit: "mV",
    digits: 2,
  },
  {
    id: "instability",
    measures: ["noise_slow"],
    shown: ([noise = Number.NaN]) => MV_PER_V * noise,
    look: 30,
    act: 60,
    unit: "mV",
    digits: 2,
  },
  {
    id: "temperature",
    measures: ["bath_temperature"],
    shown: ([temperature = Number.NaN]) => temperature - 960,
    look: 10,
    act: 20,
    unit: "degC",
    digits: 2,
  },
  {
    id: "age",
    measures: ["age"],
    shown: ([days = Number.NaN]) => days,
    look: 2000,
    act: 3000,
    unit: "d",
    digits: 4,
  },
];

export function levelOf(colouring: Colouring, shown: number): Level {
  if (!Number.isFinite(shown)) return null;
  const far = Math.abs(shown);
  if (far < colouring.look) return 0;
  const side = shown < 0 ? -1 : 1;
  return (far < colouring.act ? side : 2 * side) as Level;
}
