/** A choice of a few, as the browser's own select: works with keys, touch and readers. */

interface Given {
  label: string;
  options: Readonly<Record<string, string>>;
  chosen: string;
  choose: (option: string) => void;
  visible?: boolean;
}

export function Choice({ label, options, chosen, choose, visible = false }: Given) {
  return (
    <label class="choice">
      <span class={visible ? "choice-label" : "visually-hidden"}>{label}</span>
      <select value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
        {Object.entries(options).map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
