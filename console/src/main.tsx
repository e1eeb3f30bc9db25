/** Starts the page: language, colours, the plant, the stream. */

import { render } from "preact";
import { Shell } from "./Shell";
import { paint, theme } from "./parts/theme";
import { watch } from "./plant/live";
import { language, speak } from "./words";
import "./style/tokens.css";
import "./style/base.css";
import "./style/parts.css";
import "./style/pages.css";

speak(language.value);
paint(theme.value);
watch();
const root = document.getElementById("console");
if (root) render(<Shell />, root);
