/** The course of a value without axes, with its normal range behind it. */

interface Given {
  values: readonly (number | null)[];
  low?: number | null;
  high?: number | null;
  label: string;
}

const WIDTH = 100;
const HEIGHT = 20;

export function Sparkline({ values, low, high, label }: Given) {
  const known = values.filter((one): one is number => one !== null);
  if (known.length < 2) return null;
  const bottom = Math.min(...known, low ?? Number.POSITIVE_INFINITY);
  const top = Math.max(...known, high ?? Number.NEGATIVE_INFINITY);
  const y = (value: number): number => HEIGHT - ((value - bottom) / (top - bottom || 1)) * HEIGHT;
  const x = (place: number): number => (place / (values.length - 1)) * WIDTH;
  const path = values
    .map((one, place) => (one === null ? "" : `${place && values[place - 1] !== null ? "L" : "M"}${x(place).toFixed(1)} ${y(one).toFixed(1)}`))
    .join("");
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {(low != null || high != null) && (
        <rect
          class="normal"
          x="0"
          width={WIDTH}
          y={y(high ?? top)}
          height={Math.max(0, y(low ?? bottom) - y(high ?? top))}
        />
      )}
      <path class="line" d={path} />
    </svg>
  );
}
