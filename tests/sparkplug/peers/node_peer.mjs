// sparkplug-client as an edge node, or sparkplug-payload as a listener's decoder.
//
// `edge FOLDER PORT`: a node that is born, and again on request; it publishes once for every line
// on stdin and leaves at its end; `compressing-edge` compresses all of it. `host FOLDER PORT`: a JSON line for every message, until stdin
// ends. FOLDER holds node_modules.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [role, folder, port] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const GROUP = "pavlodar", NODE = "foreign", DEVICE = "meter";

const say = (words) => console.log(JSON.stringify(words));
const number = (value) => (value !== null && typeof value === "object" && value.toNumber) ? value.toNumber() : value;

function edge(options) {
  const client = require("sparkplug-client").newClient({
    serverUrl: `mqtt://127.0.0.1:${port}`,
    username: "", password: "", clientId: "sparkplug-client-edge",
    groupId: GROUP, edgeNode: NODE, version: "spBv1.0", publishDeath: true,
  });
  let count = 0, last = 0;
  const metric = (name, type, value) => ({ name, type, value, timestamp: (last = Math.max(last + 1, Date.now())) });
  const births = () => {
    client.publishNodeBirth({
      timestamp: Date.now(),
      metrics: [metric("voltage", "Double", 4.25 + count), metric("Node Control/Rebirth", "Boolean", false)],
    }, options);
    client.publishDeviceBirth(DEVICE, {
      timestamp: Date.now(),
      metrics: [
        metric("level", "Int8", -5 + count), metric("current", "UInt32", 4000000000),
        metric("flag", "Boolean", true), metric("recipe", "String", "A"),
      ],
    }, options);
  };
  client.on("birth", () => { births(); say({ born: true }); });
  client.on("ncmd", (payload) => {
    if (payload.metrics.some((each) => each.name === "Node Control/Rebirth" && each.value === true)) {
      births();
      say({ rebirth: true });
    }
  });
  createInterface({ input: process.stdin }).on("line", () => {
    count += 1;
    client.publishNodeData({ timestamp: Date.now(), metrics: [metric("voltage", "Double", 4.25 + count)] }, options);
    client.publishDeviceData(DEVICE, { timestamp: Date.now(), metrics: [metric("level", "Int8", -5 + count)] }, options);
    say({ sent: count });
  }).on("close", () => client.stop());
}

function host() {
  const payloads = require("sparkplug-payload").get("spBv1.0");
  const client = require("mqtt").connect(`mqtt://127.0.0.1:${port}`, { clientId: "sparkplug-payload-host" });
  client.on("connect", () => client.subscribe("spBv1.0/site/#", { qos: 1 }, () => say({ listening: true })));
  client.on("message", (topic, bytes) => {
    const [, , type, , device] = topic.split("/");
    const payload = payloads.decodePayload(bytes);
    say({
      type, device: device ?? null, seq: payload.seq === undefined ? null : number(payload.seq),
      metrics: (payload.metrics ?? []).map((each) => ({
        name: each.name ?? null, alias: each.alias === undefined ? null : number(each.alias),
        value: number(each.value ?? null), ts: number(each.timestamp),
      })),
    });
  });
  process.stdin.resume().on("end", () => client.end());
}

const compress = { compress: true, algorithm: "GZIP" };
({ edge, host, "compressing-edge": () => edge(compress) })[role]();
